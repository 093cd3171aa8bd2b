//! Egg files of every format through the public face.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use hatchery_eggs::{Find, Import, ImportError, MAX_FILE, Signal, Startup, Stop, import};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(file: &Value) -> Import {
    import(file.to_string().as_bytes()).unwrap()
}

/// A PTDL_v2 file with some fields replaced.
fn ptdl_v2(changes: Value) -> Value {
    let mut file = json!({
        "meta": {"version": "PTDL_v2", "update_url": null},
        "exported_at": "2026-01-01T00:00:00+00:00",
        "name": "Game",
        "author": "someone@example.com",
        "description": null,
        "features": null,
        "docker_images": {"Two": "repo/two", "One": "repo/one"},
        "file_denylist": [],
        "startup": "./run {{SERVER_PORT}}",
        "config": {"files": "{}", "startup": "{\"done\":\"ready\"}", "logs": "{}", "stop": "stop"},
        "scripts": {"installation": {"script": "echo", "container": "image", "entrypoint": "ash"}},
        "variables": [],
    });
    for (key, value) in changes.as_object().unwrap() {
        file[key] = value.clone();
    }
    file
}

#[test]
fn the_usual_format() {
    let Import { egg, warnings } = read(&ptdl_v2(json!({
        "config": {
            "files": "{\"server.properties\":{\"parser\":\"properties\",\"find\":{\"port\":\"{{server.build.default.port}}\",\"online\":true}}}",
            "startup": "{\"done\": [\"a\", \"regex:^b\"]}", "logs": null, "stop": "^C"},
    })));
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(
        (egg.uuid, egg.description.as_str(), egg.features.as_ref()),
        (None, "", None)
    );
    let images: Vec<_> = egg
        .docker_images
        .iter()
        .map(|i| (i.label.as_str(), i.value.as_str()))
        .collect();
    assert_eq!(images, [("Two", "repo/two"), ("One", "repo/one")]);
    assert_eq!(egg.start_line(), "./run {{SERVER_PORT}}");
    assert_eq!(egg.startup.done, ["a", "regex:^b"]);
    assert_eq!(egg.stop, Stop::Signal(Signal::Interrupt));
    assert_eq!(egg.config_files[0].parser, "properties");
    assert_eq!(
        egg.config_files[0].find[1],
        Find {
            path: "online".to_owned(),
            if_value: None,
            value: json!(true)
        }
    );
    assert_eq!(egg.install.unwrap().entrypoint, "ash");
}

#[test]
fn ptdl_v1_has_one_image_or_a_list_and_a_denylist_in_lines() {
    let mut file = ptdl_v2(
        json!({"meta": {"version": "PTDL_v1"}, "file_denylist": "*.log\n\nsecret", "image": "repo/a"}),
    );
    file.as_object_mut().unwrap().remove("docker_images");
    let egg = read(&file).egg;
    assert_eq!(
        (
            egg.docker_images[0].label.as_str(),
            egg.docker_images[0].value.as_str()
        ),
        ("repo/a", "repo/a")
    );
    assert_eq!(egg.file_denylist, ["*.log", "secret"]);
    file["images"] = json!(["repo/b", "repo/c"]);
    assert_eq!(read(&file).egg.docker_images.len(), 2);
}

#[test]
fn pelican_in_yaml() {
    let file = br#"
_comment: 'exported'
meta:
  version: PLCN_v3
  update_url: 'https://example.com/egg.yaml'
name: Proxy
author: someone@example.com
uuid: 9e6b409e-4028-4947-aea8-50a2c404c271
description: |-
  Two
  lines
icon: 'data:image/png;base64,AAAA'
tags: [minecraft, proxy]
features: {}
docker_images:
  21: 'repo/java:21'
  Java 17: 'repo/java:17'
file_denylist: {}
startup_commands:
  Default: 'java -jar {{SERVER_JARFILE}}'
  Debug: 'java -Xdebug -jar {{SERVER_JARFILE}}'
config:
  files:
    config.yml:
      parser: yaml
      find:
        'listeners[0].host': '0.0.0.0:{{server.allocations.default.port}}'
        'servers.*.address':
          'regex:^(127\.0\.0\.1|localhost)(:\d{1,5})?$': '{{config.docker.interface}}$2'
        retries: 5
  startup:
    done: 'Listening on '
  logs: {}
  stop: end
scripts:
  installation:
    script: "echo hi\n"
    container: 'repo/installer'
    entrypoint: bash
variables:
  - name: Version
    description: ''
    env_variable: VERSION
    default_value: 8
    user_viewable: true
    user_editable: 1
    rules: [required, 'regex:/^(a|b|[0-9])$/']
    sort: 2
  - name: Jar
    env_variable: SERVER_JARFILE
    default_value: true
    user_viewable: false
    user_editable: '0'
    rules: {a: required, b: 'max:20'}
    sort: 1
"#;
    let Import { egg, warnings } = import(file).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(
        egg.uuid.unwrap().to_string(),
        "9e6b409e-4028-4947-aea8-50a2c404c271"
    );
    assert_eq!(egg.docker_images[0].label, "21");
    assert_eq!(egg.features.as_deref(), Some(&[][..]));
    assert_eq!(egg.startup_commands[1].label, "Debug");
    assert_eq!(
        egg.startup,
        Startup {
            done: vec!["Listening on ".to_owned()],
            strip_ansi: false
        }
    );
    let find = &egg.config_files[0].find;
    assert_eq!(
        find[1].if_value.as_deref(),
        Some(r"regex:^(127\.0\.0\.1|localhost)(:\d{1,5})?$")
    );
    assert_eq!(find[2].value, json!(5));
    let variables: Vec<_> = egg
        .variables
        .iter()
        .map(|v| {
            (
                &*v.env_variable,
                &*v.default_value,
                &*v.rules,
                v.user_editable,
            )
        })
        .collect();
    assert_eq!(
        variables,
        [
            ("SERVER_JARFILE", "1", "required|max:20", false),
            ("VERSION", "8", "required|regex:/^(a|b|[0-9])$/", true),
        ]
    );
}

#[test]
fn a_picture_is_no_image() {
    let mut file =
        ptdl_v2(json!({"meta": {"version": "PLCN_v1"}, "image": "data:image/png;base64,AA"}));
    file.as_object_mut().unwrap().remove("docker_images");
    let Import { egg, warnings } = read(&file);
    assert_eq!(egg.docker_images, []);
    assert_eq!(egg.icon.as_deref(), Some("data:image/png;base64,AA"));
    assert_eq!(
        warnings,
        ["there is no image, so a server of this egg cannot run in a container"]
    );
}

#[test]
fn what_is_not_understood_is_told() {
    let cases = [
        (json!({"startup": ""}), "there is no start line"),
        (
            json!({"config": {"files": "{", "startup": "{}", "stop": "x"}}),
            "config.files is not valid JSON",
        ),
        (
            json!({"config": {"files": {"a.yml": {"parser": "yaml"}}, "stop": "x"}}),
            "a.yml has no `find`",
        ),
        (
            json!({"config": {"files": {"a": {"parser": "lua", "find": {}}}, "stop": "x"}}),
            "has a parser that no node knows",
        ),
        (
            json!({"config": {"files": {"a": {"find": {"b": []}}}, "stop": "x"}}),
            "the value of `b` is a list",
        ),
        (
            json!({"config": {"startup": "ready", "stop": "x"}}),
            "config.startup is not valid JSON",
        ),
        (
            json!({"config": {"stop": "^X"}}),
            "`^X` names no known signal",
        ),
        (json!({"variables": ["x"]}), "is not an object"),
        (
            json!({"variables": [{"env_variable": "A=B"}]}),
            "`A=B` cannot be the name of a variable",
        ),
        (
            json!({"variables": [{"env_variable": "A"}, {"env_variable": "A"}]}),
            "A is there twice",
        ),
        (
            json!({"variables": [{"env_variable": "A", "rules": "required|wild"}]}),
            "A: the rule `wild` is not a known rule",
        ),
    ];
    for (changes, expected) in cases {
        let warnings = read(&ptdl_v2(changes.clone())).warnings;
        assert!(
            warnings.iter().any(|warning| warning.contains(expected)),
            "{changes}: {warnings:?}"
        );
    }
}

#[test]
fn what_is_no_egg_is_refused() {
    assert_eq!(
        import(&vec![b' '; MAX_FILE + 1]),
        Err(ImportError::TooLarge(MAX_FILE + 1))
    );
    assert_eq!(import(b"\xff"), Err(ImportError::NotText));
    assert_eq!(import(b"[1]"), Err(ImportError::NotAnObject));
    assert!(matches!(import(b"{\"a\":"), Err(ImportError::Syntax(_))));
    assert!(matches!(import(b"a: [b"), Err(ImportError::Syntax(_))));
    assert_eq!(
        import(b"{}"),
        Err(ImportError::Version("missing".to_owned()))
    );
    let version = ptdl_v2(json!({"meta": {"version": "PTDL_v9"}}));
    assert_eq!(
        import(version.to_string().as_bytes()),
        Err(ImportError::Version("`PTDL_v9`".to_owned()))
    );
    let nameless = ptdl_v2(json!({"name": " "}));
    assert_eq!(
        import(nameless.to_string().as_bytes()),
        Err(ImportError::Missing("name"))
    );
    let long = ptdl_v2(json!({"name": "x".repeat(192)}));
    assert_eq!(
        import(long.to_string().as_bytes()),
        Err(ImportError::TooLong {
            field: "name",
            limit: 191
        })
    );
    let many = ptdl_v2(json!({"variables": vec![json!({}); 201]}));
    assert_eq!(
        import(many.to_string().as_bytes()),
        Err(ImportError::TooMany("variables"))
    );
}

/// References in YAML that would grow to gigabytes end as an error, soon.
#[test]
fn a_bomb_of_references_is_refused() {
    let mut file =
        String::from("meta: {version: PLCN_v3}\nname: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(file, "a{level}: &a{level} [{items}]").unwrap();
    }
    assert!(matches!(
        import(file.as_bytes()),
        Err(ImportError::Syntax(_))
    ));
    let nested = format!("a: {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(
        import(nested.as_bytes()),
        Err(ImportError::Syntax(_))
    ));
    let nested = format!("{{\"a\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(
        import(nested.as_bytes()),
        Err(ImportError::Syntax(_))
    ));
}

#[test]
fn every_shipped_egg_survives_both_exports() {
    for shipped in hatchery_eggs::builtin() {
        let mut egg = shipped.egg.clone();
        let mut again = read(&egg.to_ptdl_v2("2026-01-01T00:00:00+00:00")).egg;
        again.uuid = egg.uuid;
        assert_eq!(again, egg, "{} by PTDL_v2", shipped.slug);
        "PLCN_v3".clone_into(&mut egg.source_format);
        let again = read(&egg.to_plcn_v3("2026-01-01T00:00:00+00:00"));
        assert_eq!(
            (again.egg, again.warnings),
            (egg, Vec::new()),
            "{} by PLCN_v3",
            shipped.slug
        );
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(
                "find|parser|done|script|env_variable|rules|[a-c]",
                inner,
                0..4
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_read_without_panic(file in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = import(&file);
    }

    #[test]
    fn any_field_reads_without_panic_and_comes_back(
        key in prop::sample::select(vec![
            "uuid", "description", "features", "tags", "docker_images", "file_denylist", "startup", "startup_commands",
            "config", "scripts", "variables", "icon",
        ]),
        version in prop::sample::select(vec!["PTDL_v1", "PTDL_v2", "PLCN_v1", "PLCN_v3"]),
        value in any_json(),
    ) {
        let mut file = ptdl_v2(json!({"meta": {"version": version}}));
        file[key] = value;
        if let Ok(Import { egg, .. }) = import(file.to_string().as_bytes()) {
            prop_assert!(import(egg.to_ptdl_v2("now").to_string().as_bytes()).is_ok());
            prop_assert!(import(egg.to_plcn_v3("now").to_string().as_bytes()).is_ok());
        }
    }
}
