//! Files in, files out, one table per format.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use hatchery_configfile::{EditError, MAX_FILE, Parser, Replacement, edit};
use proptest::prelude::*;
use serde_json::{Value, json};

const INTERFACE: &str = "172.18.0.1";

/// `(path, value)`, or `(path, condition, value)` as a list of three.
fn replacements(list: &Value) -> Vec<Replacement> {
    let read = |entry: &Value| {
        let path = entry[0].as_str().unwrap().to_owned();
        match entry.as_array().unwrap().len() {
            2 => Replacement {
                path,
                if_value: None,
                value: entry[1].clone(),
            },
            _ => Replacement {
                path,
                if_value: entry[1].as_str().map(str::to_owned),
                value: entry[2].clone(),
            },
        }
    };
    list.as_array().unwrap().iter().map(read).collect()
}

fn run(parser: Parser, file: &str, list: Value) -> Result<String, EditError> {
    let edited = edit(
        parser,
        Some(file.as_bytes()),
        &replacements(&list),
        INTERFACE,
    )?;
    Ok(String::from_utf8(edited).unwrap())
}

fn check(parser: Parser, file: &str, list: Value, expected: &str) {
    assert_eq!(run(parser, file, list.clone()).unwrap(), expected, "{list}");
}

#[test]
fn a_minecraft_server_s_properties() {
    let file = "#Minecraft server properties\n#Mon Nov 23\nserver-port=25565\nmotd=A\\u00e4 \\\n  server\n\nonline-mode=true\nquery.port : 1\n";
    let list = json!([
        ["server-port", "25570"],
        ["server-ip", "0.0.0.0"],
        ["query.port", 25570],
        ["online-mode", false],
        ["motd", "Größe: a=b\\ \n😀"]
    ]);
    let expected = "#Minecraft server properties\n#Mon Nov 23\nserver-port=25570\nmotd=Gr\\u00f6\\u00dfe: a=b\\\\ \\n\\ud83d\\ude00\n\nonline-mode=false\nquery.port=25570\nserver-ip=0.0.0.0\n";
    check(Parser::Properties, file, list.clone(), expected);
    // What was written reads back as the same, so a second edit changes nothing.
    check(Parser::Properties, expected, list, expected);
}

#[test]
fn properties_keep_what_is_not_named() {
    let file = "! note\r\nlong = a\\\r\n   b\r\nkey\\ with\\=signs value\r\n";
    check(
        Parser::Properties,
        file,
        json!([["key with=signs", "x"]]),
        "! note\r\nlong = a\\\r\n   b\r\nkey\\ with\\=signs=x\r\n"
            .replace("a\\\r\n", "a\\\n")
            .as_str(),
    );
    check(
        Parser::Properties,
        "a=1\n",
        json!([["a", "2", "3"], ["b", "2", "3"]]),
        "a=1\n",
    );
    check(
        Parser::Properties,
        "a=1\n",
        json!([["a", "1", "3"]]),
        "a=3\n",
    );
    check(
        Parser::Properties,
        "a=x:1\n",
        json!([["a", "regex:^x:(\\d)$", "y:$1$1"]]),
        "a=y:11\n",
    );
    // Nobody can add a line through a value.
    check(
        Parser::Properties,
        "",
        json!([["a", "1\nop=true\r"]]),
        "a=1\\nop=true\\r\n",
    );
}

#[test]
fn bungeecord_in_yaml() {
    let file = r"
# comment
listeners:
- host: 0.0.0.0:25577
  query_port: 25577
  max_players: 1
servers:
  lobby:
    address: localhost:25566
    motd: '&1Lobby'
  far:
    address: 203.0.113.9:25565
  near:
    address: 127.0.0.1
big: 12345678901
ratio: 1.0
yes_text: 'true'
flag: false
";
    let list = json!([
        ["listeners[0].host", "0.0.0.0:25570"],
        ["listeners[0].query_port", "25570"],
        ["listeners.0.max_players", 50],
        [
            "servers.*.address",
            r"regex:^(127\.0\.0\.1|localhost)(:\d{1,5})?$",
            "{{config.docker.interface}}$2"
        ],
        ["ratio", "2.5"],
        ["yes_text", "5"],
        ["flag", "true"],
        ["new.deep.port", "25570"],
        ["new.deep.code", "007"],
        ["new.deep.flag", "true"],
        ["absent.*.x", "1"],
        ["gone", "1", "2"],
    ]);
    let expected = r"listeners:
- host: 0.0.0.0:25570
  query_port: 25570
  max_players: 50
servers:
  lobby:
    address: 172.18.0.1:25566
    motd: '&1Lobby'
  far:
    address: 203.0.113.9:25565
  near:
    address: 172.18.0.1
big: 12345678901
ratio: 2.5
yes_text: '5'
flag: true
new:
  deep:
    port: 25570
    code: '007'
    flag: 'true'
";
    check(Parser::Yaml, file, list, expected);
}

#[test]
fn yaml_corners() {
    check(
        Parser::Yaml,
        "",
        json!([["a.b", "x"], ["list[0].c", 1]]),
        "a:\n  b: x\nlist:\n- c: 1\n",
    );
    check(
        Parser::Yaml,
        "25565: a\ntrue: b\n",
        json!([["25565", "x"], ["true", "y"]]),
        "25565: x\ntrue: y\n",
    );
    check(
        Parser::Yaml,
        "servers:\n",
        json!([["servers.a", true]]),
        "servers:\n  a: true\n",
    );
    check(
        Parser::Yaml,
        "# only a comment\n",
        json!([["a", "1", "2"]]),
        "# only a comment\n",
    );
    check(Parser::Yaml, "a: 1\n", json!([["a", null]]), "a: null\n");
    let shorter = run(Parser::Yaml, "a: [1]\n", json!([["a[3].b", "x"]]));
    assert_eq!(
        shorter,
        Err(EditError::Path {
            path: "a[3].b".to_owned(),
            reason: "the list is shorter"
        })
    );
    let in_the_way = run(Parser::Yaml, "a: text\n", json!([["a.b", "x"]]));
    assert!(matches!(in_the_way, Err(EditError::Path { .. })));
}

#[test]
fn dangerous_yaml_is_refused_soon() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{items}]").unwrap();
    }
    assert!(matches!(
        run(Parser::Yaml, &bomb, json!([])),
        Err(EditError::Syntax { .. })
    ));
    let wide = format!(
        "a: &a [{}]\nb: [{}]\n",
        "x, ".repeat(100_000),
        "*a, ".repeat(100_000)
    );
    assert!(matches!(
        run(Parser::Yaml, &wide, json!([])),
        Err(EditError::Syntax { .. })
    ));
    let deep = "[".repeat(MAX_FILE / 2);
    assert!(matches!(
        run(Parser::Yaml, &deep, json!([])),
        Err(EditError::Syntax { .. })
    ));
    let blocks = "- ".repeat(MAX_FILE / 8);
    assert!(matches!(
        run(Parser::Yaml, &blocks, json!([])),
        Err(EditError::Syntax { .. })
    ));
    // A few references are everyday.
    check(
        Parser::Yaml,
        "a: &x\n  k: 1\nb: *x\n",
        json!([["b.k", "2"]]),
        "a:\n  k: 1\nb:\n  k: 2\n",
    );
}

#[test]
fn json_keeps_its_order_and_types() {
    let file = r#"{"zeta": 1, "name": "x", "visibility": {"public": true}, "list": [{"a": 1}, {"a": 2}], "f": 1.5, "html": "<&>"}"#;
    let list = json!([
        ["zeta", "7"],
        ["name", "12"],
        ["visibility.public", "false"],
        ["visibility.lan", true],
        ["list.*.a", "9"],
        ["list[1].b", "y"],
        ["f", "2"]
    ]);
    let expected = "{\n    \"zeta\": 7,\n    \"name\": \"12\",\n    \"visibility\": {\n        \"public\": false,\n        \"lan\": true\n    },\n    \"list\": [\n        {\n            \"a\": 9\n        },\n        {\n            \"a\": 9,\n            \"b\": \"y\"\n        }\n    ],\n    \"f\": 2.0,\n    \"html\": \"<&>\"\n}\n";
    check(Parser::Json, file, list, expected);
    check(
        Parser::Json,
        "",
        json!([["a.b", "{{config.token}}x"]]),
        "{\n    \"a\": {\n        \"b\": \"x\"\n    }\n}\n",
    );
    assert!(matches!(
        run(Parser::Json, "{", json!([])),
        Err(EditError::Syntax { format: "JSON", .. })
    ));
}

#[test]
fn toml_keeps_its_order_and_types() {
    let file = "bind = \"0.0.0.0:25577\"\nshow-max-players = 500\n\n[servers]\nlobby = \"127.0.0.1:30066\"\ntry = [\"lobby\"]\n\n[query]\nenabled = false\nport = 25577\n";
    let list = json!([
        ["bind", "0.0.0.0:1"],
        ["query.enabled", "true"],
        ["query.port", "25570"],
        [
            "servers.lobby",
            "regex:^127.0.0.1",
            "{{config.docker.interface}}"
        ],
        ["extra.key", "x"]
    ]);
    let edited = run(Parser::Toml, file, list).unwrap();
    for line in [
        "bind = \"0.0.0.0:1\"",
        "show-max-players = 500",
        "lobby = \"172.18.0.1:30066\"",
        "enabled = true",
        "port = 25570",
        "[extra]",
        "key = \"x\"",
    ] {
        assert!(
            edited.lines().any(|found| found == line),
            "{line} in {edited}"
        );
    }
    assert!(
        edited.find("bind") < edited.find("[servers]")
            && edited.find("[servers]") < edited.find("[query]")
    );
}

#[test]
fn velocity_by_line() {
    let file = "# bind = old\r\nbind = \"0.0.0.0:25577\"\r\nport-range = 1\r\nport = 2\r\nlast";
    let list = json!([
        ["bind =", "bind = \"0.0.0.0:25570\""],
        ["port", "port = 3"],
        ["port-range", "port-range = 4"],
        ["la", "end"],
        ["missing", "x"],
        ["", "y"]
    ]);
    check(
        Parser::File,
        file,
        list,
        "# bind = old\r\nbind = \"0.0.0.0:25570\"\r\nport-range = 4\r\nport = 3\r\nend",
    );
    check(Parser::File, "", json!([["a", "b"]]), "");
    let long = format!("{}\nkey=1\n", "x".repeat(200_000));
    assert!(
        run(Parser::File, &long, json!([["key", "key=2"]]))
            .unwrap()
            .ends_with("\nkey=2\n")
    );
}

#[test]
fn ini_sections() {
    let file = "; note\ntop = 1\n\n[server]\n# port\nport=1 \nname = a\n\n[a.b]\nkey = x\n";
    let list = json!([
        ["server.port", "25570"],
        ["server.name", "b\nevil = 1"],
        ["server.new", true],
        ["top", 2],
        ["[a.b].key", "y"],
        ["other.key", "z"],
        ["fresh", "f"]
    ]);
    let expected = "; note\ntop = 2\nfresh = f\n\n[server]\n# port\nport=25570\nname = b evil = 1\nnew = true\n\n[a.b]\nkey = y\n\n[other]\nkey = z\n";
    check(Parser::Ini, file, list, expected);
    check(
        Parser::Ini,
        "",
        json!([["network.server_name", "x"]]),
        "[network]\nserver_name = x\n",
    );
    check(
        Parser::Ini,
        "[s]\r\na=1\r\n",
        json!([["s.b", "2"]]),
        "[s]\r\na=1\r\nb=2\r\n",
    );
}

#[test]
fn xml_elements_and_attributes() {
    let file = "<?xml version=\"1.0\"?>\n<!-- note -->\n<config a=\"1\"><server><port>1</port><name/></server><server><port>2</port></server></config>";
    let list = json!([
        ["config.server.port", "25570"],
        ["config.limits.players", 8],
        ["config.limits", "[kind='a\"<b']"],
        ["config.*.name", "x & y"],
        ["config.*.none", "z"]
    ]);
    let expected = "<?xml version=\"1.0\"?>\n<!-- note -->\n<config a=\"1\">\n  <server>\n    <port>25570</port>\n    <name>x &amp; y</name>\n  </server>\n  <server>\n    <port>25570</port>\n  </server>\n  <limits kind=\"a&quot;&lt;b\">\n    <players>8</players>\n  </limits>\n</config>\n";
    check(Parser::Xml, file, list, expected);
    check(
        Parser::Xml,
        "",
        json!([["root.a.b", "1"]]),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root>\n  <a>\n    <b>1</b>\n  </a>\n</root>\n",
    );
    assert!(matches!(
        run(Parser::Xml, "<a><b></a>", json!([])),
        Err(EditError::Syntax { .. })
    ));
    assert!(matches!(
        run(Parser::Xml, "<a>", json!([])),
        Err(EditError::Syntax { .. })
    ));
    assert!(matches!(
        run(Parser::Xml, &"<a>".repeat(200_000), json!([])),
        Err(EditError::Syntax { .. })
    ));
    assert!(matches!(
        run(Parser::Xml, "<a/>", json!([["a.<b>", "x"]])),
        Err(EditError::Path { .. })
    ));
}

#[test]
fn what_cannot_be_edited_says_why() {
    let large = vec![b' '; MAX_FILE + 1];
    assert_eq!(
        edit(Parser::File, Some(&large), &[], INTERFACE),
        Err(EditError::TooLarge(MAX_FILE + 1))
    );
    assert_eq!(
        edit(Parser::File, Some(b"\xff"), &[], INTERFACE),
        Err(EditError::NotText)
    );
    assert_eq!(
        run(
            Parser::Json,
            "{\"a\":\"b\"}",
            json!([["a", "regex:(", "x"]])
        ),
        Err(EditError::Pattern("(".to_owned()))
    );
    assert_eq!(Parser::from_name("yml"), Some(Parser::Yaml));
    assert_eq!(Parser::from_name("lua"), None);
}

const ALL: [Parser; 7] = [
    Parser::File,
    Parser::Properties,
    Parser::Yaml,
    Parser::Json,
    Parser::Ini,
    Parser::Xml,
    Parser::Toml,
];

proptest! {
    #[test]
    fn any_file_is_edited_without_panic(
        parser in prop::sample::select(ALL.to_vec()),
        file in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..120),
            r#"([a-c]|[\[\]{}:=.#&*!<>/"'\\, \n-]|\\u|--|1){0,80}"#.prop_map(String::into_bytes),
        ],
        path in r"([a-c]|[.*\[\]0]|\\){0,12}",
        condition in prop::option::of(r"(regex:)?[a-c.*(\[]{0,4}"),
        value in prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<f64>().prop_map(Value::from), ".{0,12}".prop_map(Value::from)],
    ) {
        let change = Replacement { path, if_value: condition, value };
        if let Ok(edited) = edit(parser, Some(&file), std::slice::from_ref(&change), INTERFACE) {
            prop_assert!(std::str::from_utf8(&edited).is_ok());
        }
        let _ = edit(parser, None, &[change], INTERFACE);
    }

    /// A value that was set is there when the file is read again: setting it once more changes
    /// nothing.
    #[test]
    fn an_edit_is_stable(
        parser in prop::sample::select(vec![Parser::Properties, Parser::Yaml, Parser::Json, Parser::Ini, Parser::Toml]),
        file in "([a-c]{1,2}: ?[a-z0-9]{1,3}\n){0,4}",
        value in "[^\\x00-\\x1f\\x7f-\\x9f\\ufffe\\uffff]{0,12}",
    ) {
        let change = [Replacement { path: "a".to_owned(), if_value: None, value: Value::from(value) }];
        if let Ok(once) = edit(parser, Some(file.as_bytes()), &change, INTERFACE) {
            prop_assert_eq!(edit(parser, Some(&once), &change, INTERFACE), Ok(once));
        }
    }
}
