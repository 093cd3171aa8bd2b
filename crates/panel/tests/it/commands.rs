//! Commands beside a running panel and without one.

use std::io::Write;

use crate::harness::Place;

#[test]
fn people_and_keys_without_a_panel() {
    let place = Place::new();
    let made = place.json(&[
        "user",
        "create",
        "--username",
        "anna",
        "--email",
        "anna@example.com",
        "--password",
        "correct horse",
    ]);
    assert_eq!(
        (made["username"].as_str(), made["admin"].as_bool()),
        (Some("anna"), Some(false))
    );
    let made = place.json(&[
        "user",
        "create",
        "--username",
        "ben",
        "--email",
        "ben@example.com",
        "--admin",
    ]);
    assert_eq!(made["password"].as_str().map(str::len), Some(20));
    let names: Vec<_> = place
        .json(&["user", "list"])
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].clone())
        .collect();
    assert_eq!(names, ["anna", "ben"]);

    let key = place.answer(&[
        "api-key",
        "create",
        "--user",
        "anna@example.com",
        "--description",
        "bot",
    ]);
    assert!(key.starts_with("ptlc_") && key.len() == 48, "{key}");
    let application = place.json(&["api-key", "create", "--user", "ben", "--application"]);
    assert!(application["key"].as_str().unwrap().starts_with("ptla_"));

    for (arguments, complaint) in [
        (
            &[
                "user",
                "create",
                "--username",
                "ANNA",
                "--email",
                "x@example.com",
                "--password",
                "long enough",
            ][..],
            "username has already been taken",
        ),
        (
            &[
                "user",
                "create",
                "--username",
                "c",
                "--email",
                "nonsense",
                "--password",
                "short",
            ],
            "valid email address",
        ),
        (
            &["api-key", "create", "--user", "nobody"],
            "there is no user `nobody`",
        ),
        (
            &["api-key", "create", "--user", "anna", "--application"],
            "anna is no administrator",
        ),
        (
            &[
                "user",
                "reset-password",
                "--user",
                "anna",
                "--password",
                "short",
            ],
            "at least 8 characters",
        ),
        (
            &[
                "server",
                "create",
                "--name",
                "x",
                "--owner",
                "anna",
                "--egg",
                "no such egg",
            ],
            "hatchery egg list",
        ),
        (
            &["egg", "import", "/nonexistent.json"],
            "/nonexistent.json: ",
        ),
        (
            &["user", "list", "--config", "/nonexistent.toml"],
            "cannot read the settings in /nonexistent.toml",
        ),
    ] {
        let said = place.complaint(arguments);
        assert!(
            said.starts_with("hatchery: ") && said.contains(complaint),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(place.run(&["user", "create"]).status.code(), Some(2));
    assert_eq!(place.run(&["nonsense"]).status.code(), Some(2));
}

#[test]
fn a_running_panel_knows_at_once_what_a_command_did() {
    let place = Place::new();
    let panel = place.serve();
    let key = place.key();
    assert_eq!(
        panel.call(&key, "GET", "/api/client/account", "").status,
        200
    );
    place.answer(&[
        "user",
        "reset-password",
        "--user",
        "admin",
        "--password",
        "another one",
    ]);
    let page = panel.post_form(
        "/account/api",
        &[
            ("user", "admin"),
            ("password", "another one"),
            ("description", "x"),
        ],
    );
    assert_eq!(page.status, 200, "{}", page.body);

    let egg = place.json(&["egg", "list"]);
    assert!(
        egg.as_array()
            .unwrap()
            .iter()
            .any(|egg| egg["name"].is_string())
    );
    let server = place.json(&[
        "server", "create", "--name", "Mine", "--owner", "admin", "--egg", "demo", "--port",
        "20001",
    ]);
    let path = format!(
        "/api/client/servers/{}",
        server["identifier"].as_str().unwrap()
    );
    panel.until(|panel| {
        let answer = panel.call(&key, "GET", &path, "");
        answer.status == 200 && answer.json()["attributes"]["is_installing"] == false
    });
    assert_eq!(
        panel
            .call(&key, "GET", &format!("{path}/resources"), "")
            .status,
        200
    );
    assert_eq!(place.json(&["server", "list"])[0]["uuid"], server["uuid"]);
}

/// Security.md, revocation: by whichever process, what a person held of the node ends.
#[test]
fn a_new_password_ends_the_links_that_are_out() {
    let place = Place::new();
    let panel = place.serve();
    let key = place.key();
    let server = place.json(&[
        "server", "create", "--name", "Mine", "--owner", "admin", "--egg", "demo",
    ]);
    let path = format!(
        "/api/client/servers/{}",
        server["identifier"].as_str().unwrap()
    );
    panel.until(|panel| {
        panel.call(&key, "GET", &path, "").json()["attributes"]["is_installing"] == false
    });
    let write = format!("{path}/files/write?file=a.txt");
    assert_eq!(
        panel.call(&key, "POST", &write, "hello").status,
        400,
        "no JSON"
    );
    assert_eq!(panel.call(&key, "POST", &write, "\"hello\"").status, 204);
    let link = panel.call(
        &key,
        "GET",
        &format!("{path}/files/download?file=a.txt"),
        "",
    );
    let link = link.json()["attributes"]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let link = link.strip_prefix(&panel.url).unwrap();
    // A look does not use the link up.
    assert_eq!(panel.ask("HEAD", link, &[], "").status, 200);
    let new = ["--password", "another one"];
    place.answer(&[&["user", "reset-password", "--user", "admin"][..], &new].concat());
    panel.until(|panel| panel.ask("HEAD", link, &[], "").status == 404);
    assert_eq!(panel.get(link).status, 404);
}

#[test]
fn a_server_that_was_created_while_nothing_ran_is_installed_at_the_next_start() {
    let place = Place::new();
    let key = place.key();
    drop(place.serve());
    let server = place.json(&[
        "server", "create", "--name", "Mine", "--owner", "admin", "--egg", "demo",
    ]);
    let panel = place.serve();
    let path = format!(
        "/api/client/servers/{}",
        server["identifier"].as_str().unwrap()
    );
    panel.until(|panel| {
        panel.call(&key, "GET", &path, "").json()["attributes"]["is_installing"] == false
    });
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let place = Place::new();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"lisen = \"127.0.0.1:1\"\n[rate_limit]\nper_minute = \"many\"\n")
        .unwrap();
    let path = file.path().to_str().unwrap();
    let output = place
        .command(&["serve", "--config", path])
        .env_remove("HATCHERY_RATE_LIMIT_PER_MINUTE")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("there is no setting `lisen`; did you mean `listen`?"),
        "{said}"
    );
    assert!(
        said.contains(
            "`many` is not a valid value of `rate_limit.per_minute`: expected a whole number"
        ),
        "{said}"
    );
}

#[test]
fn the_program_knows_itself() {
    let place = Place::new();
    assert_eq!(
        place.json(&["version"])["version"],
        env!("CARGO_PKG_VERSION")
    );
    assert!(
        place
            .answer(&["openapi", "client"])
            .contains("\"openapi\": \"3.1")
    );
    assert!(
        place
            .answer(&["docs", "configuration"])
            .contains("HATCHERY_NODE_RUNTIME")
    );
    let output = place.run(&["doctor", "--json"]);
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = findings.as_array().unwrap();
    assert!(findings.len() >= 8, "{findings:?}");
    let bad = findings.iter().any(|finding| finding["level"] == "error");
    assert_eq!(output.status.code(), Some(i32::from(bad)));
}
