//! The command line and the first start, as a person meets them.

use std::process::Command;

use hatchery_e2e::{Engine, Options, Panel};
use serde_json::json;

use crate::world::{World, binary, run, wait_for};

fn options() -> Options {
    Options {
        binary: binary(),
        engine: Engine::Process,
        environment: Vec::new(),
    }
}

#[test]
fn the_first_start_prints_a_link_that_works_once() {
    let mut panel = Panel::start(options()).unwrap();
    let link = wait_for("the link", || link(&panel));
    let path = link.strip_prefix(&panel.url()).unwrap().to_owned();
    let page = panel.client(None).get(&path).unwrap().expect(200).unwrap();
    assert!(page.text().contains("<form"), "{}", page.text());

    // Once there is an administrator, the link is dead and a new start prints none.
    panel.user("ada", true).unwrap();
    let again = panel.client(None).get(&path).unwrap();
    assert!(
        !again.text().contains("<form"),
        "{}: {}",
        again.status,
        again.text()
    );
    panel.stop().unwrap();
    let before = panel.log().len();
    panel.start_again().unwrap();
    assert!(!panel.log()[before..].contains(&path), "{}", panel.log());
}

/// The address beneath the panel's that is more than the panel's.
fn link(panel: &Panel) -> Option<String> {
    let log = panel.log();
    let words = log.split(|letter: char| letter.is_whitespace() || "\"'<>".contains(letter));
    let mut links = words.filter(|word| word.starts_with(&panel.url()));
    links
        .find(|word| word.len() > panel.url().len() + 16)
        .map(str::to_owned)
}

#[test]
fn commands_work_beside_a_panel_and_without_one() {
    let mut world = World::new(Engine::Process);
    world.panel.stop().unwrap();
    let key = world.panel.user("bob", false).unwrap();
    world.panel.start_again().unwrap();
    let account = world
        .panel
        .client(Some(&key))
        .get("/api/client/account")
        .unwrap();
    assert_eq!(
        account.expect_json(200).unwrap()["attributes"]["username"],
        "bob"
    );

    // What a command changes beside a running panel, the panel knows.
    let key = world.panel.user("eve", false).unwrap();
    let account = world
        .panel
        .client(Some(&key))
        .get("/api/client/account")
        .unwrap();
    assert_eq!(
        account.expect_json(200).unwrap()["attributes"]["username"],
        "eve"
    );
}

#[test]
fn the_binary_describes_itself() {
    let version = run(Command::new(binary()).arg("version"));
    assert!(version.to_lowercase().contains("hatchery"), "{version}");
    let document = run(Command::new(binary()).args(["openapi", "client"]));
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"].as_object().unwrap().len() > 15);
    let folder = tempfile::tempdir().unwrap();
    let findings = run(Command::new(binary())
        .arg("doctor")
        .arg("--data-dir")
        .arg(folder.path()));
    assert!(!findings.trim().is_empty());
}

#[test]
fn a_key_that_is_deleted_is_refused_at_once() {
    let world = World::new(Engine::Process);
    let client = world.client();
    let body = json!({ "description": "short-lived", "allowed_ips": [] });
    let made = client.post("/api/client/account/api-keys", &body).unwrap();
    let made = made.expect_json(200).unwrap();
    let identifier = made["attributes"]["identifier"].as_str().unwrap();
    let token = format!(
        "{identifier}{}",
        made["meta"]["secret_token"].as_str().unwrap()
    );
    let other = world.panel.client(Some(&token));
    other.get("/api/client").unwrap().expect(200).unwrap();

    let path = format!("/api/client/account/api-keys/{identifier}");
    client
        .call("DELETE", &path, &[], b"")
        .unwrap()
        .expect(204)
        .unwrap();
    let refused = other.get("/api/client").unwrap();
    assert_eq!(
        refused.expect_json(401).unwrap()["errors"][0]["status"],
        "401"
    );
    other
        .get("/api/client/account")
        .unwrap()
        .expect(401)
        .unwrap();
}

#[test]
fn bad_input_is_refused_with_a_reason() {
    let world = World::new(Engine::Process);
    let client = world.client();
    let game = world.server("demo", &[]);
    let path = game.path("/command");
    let json_type = [("Content-Type", "application/json")];
    for (what, answer, status) in [
        ("no key", world.panel.client(None).get("/api/client"), 401),
        (
            "a wrong key",
            world.panel.client(Some("ptlc_wrong")).get("/api/client"),
            401,
        ),
        (
            "an unknown server",
            client.get("/api/client/servers/deadbeef"),
            404,
        ),
        ("an unknown route", client.get("/api/client/nothing"), 404),
        (
            "a wrong method",
            client.call("DELETE", "/api/client", &[], b""),
            405,
        ),
        (
            "broken JSON",
            client.call("POST", &path, &json_type, b"{\"command\""),
            400,
        ),
        (
            "an escape",
            client.get(&game.path("/files/contents?file=../../panel.db")),
            404,
        ),
        (
            "an absolute path",
            client.get(&game.path("/files/contents?file=/etc/passwd")),
            404,
        ),
        (
            "an oversize body",
            client.call("POST", &path, &json_type, &vec![b' '; 16 * 1024 * 1024]),
            413,
        ),
    ] {
        let answer = answer.unwrap_or_else(|error| panic!("{what}: {error:#}"));
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        let body = answer
            .json()
            .unwrap_or_else(|error| panic!("{what}: {error:#}"));
        let error = &body["errors"][0];
        assert_eq!(error["status"], status.to_string(), "{what}: {body}");
        assert!(
            error["detail"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{what}: {body}"
        );
    }
}
