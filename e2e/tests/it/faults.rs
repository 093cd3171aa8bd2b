//! `kill -9` of the panel under load, while games run.

use std::sync::atomic::{AtomicBool, Ordering};

use hatchery_e2e::{Client, Engine};
use serde_json::json;

use crate::world::{World, containers, wait_for};

#[test]
fn a_process_outlives_the_panel() {
    outlives(Engine::Process);
}

#[test]
fn a_container_outlives_the_panel() {
    if let Some(engine) = containers() {
        outlives(engine);
    }
}

fn outlives(engine: Engine) {
    let mut world = World::new(engine);
    let (path, uuid, run) = {
        let game = world.coop(&[]);
        let mut console = game.console();
        game.start(&mut console);
        assert_eq!(game.command("run"), 204);
        (
            game.path(""),
            game.uuid.clone(),
            console.line("this is run"),
        )
    };

    let acknowledged = write_until_killed(&mut world, &path);
    assert!(!acknowledged.files.is_empty() && !acknowledged.keys.is_empty());
    world.panel.start_again().unwrap();

    let client = world.client();
    for (number, name) in acknowledged.files.iter().enumerate() {
        let answer = client
            .get(&format!("{path}/files/contents?file=/{name}"))
            .unwrap();
        assert_eq!(
            (answer.status, answer.text()),
            (200, content(number)),
            "{name}"
        );
    }
    let list = client
        .get("/api/client/account/api-keys")
        .unwrap()
        .expect_json(200)
        .unwrap();
    let known = list.to_string();
    for key in &acknowledged.keys {
        assert!(
            known.contains(key),
            "the key {key} was acknowledged, and is gone"
        );
    }

    // The very same run of the game, and its console both ways.
    let state = wait_for("the game", || {
        let answer = client.get(&format!("{path}/resources")).unwrap();
        let body = answer.json().unwrap();
        (body["attributes"]["current_state"] != "offline").then_some(body)
    });
    assert_eq!(
        state["attributes"]["current_state"], "running",
        "{uuid}: {state}"
    );
    let mut console = crate::console::Console::open(&client, &format!("{path}/websocket"));
    console.status("running");
    let body = json!({ "command": "run" });
    client
        .post(&format!("{path}/command"), &body)
        .unwrap()
        .expect(204)
        .unwrap();
    assert_eq!(console.line("this is run"), run);
    let body = json!({ "signal": "stop" });
    client
        .post(&format!("{path}/power"), &body)
        .unwrap()
        .expect(204)
        .unwrap();
    console.status("offline");
    console.never("console output", "crashed state");
}

/// What the panel said it had done before it was killed.
#[derive(Default)]
struct Acknowledged {
    files: Vec<String>,
    keys: Vec<String>,
}

/// Writes files and API keys as fast as it can from several sides, and kills the panel meanwhile.
fn write_until_killed(world: &mut World, path: &str) -> Acknowledged {
    let (client, stop) = (world.client(), AtomicBool::new(false));
    let mut acknowledged = Acknowledged::default();
    std::thread::scope(|scope| {
        let files = scope.spawn(|| write_files(&client, path, &stop));
        let keys = scope.spawn(|| create_keys(&client));
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    drop(client.get("/api/client"));
                }
            });
        }
        acknowledged.keys = keys.join().unwrap();
        // Files are being written at this very moment.
        world.panel.kill().unwrap();
        stop.store(true, Ordering::Relaxed);
        acknowledged.files = files.join().unwrap();
    });
    acknowledged
}

fn content(number: usize) -> String {
    format!("file {number} ").repeat(1_000)
}

fn write_files(client: &Client, path: &str, stop: &AtomicBool) -> Vec<String> {
    let mut done = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let name = format!("file-{}.txt", done.len());
        let path = format!("{path}/files/write?file=/{name}");
        let body = content(done.len());
        match client.call(
            "POST",
            &path,
            &[("Content-Type", "text/plain")],
            body.as_bytes(),
        ) {
            Ok(answer) if answer.status == 204 => done.push(name),
            _ => break,
        }
    }
    done
}

/// Up to as many keys as a user may have; the last is acknowledged right before the kill.
fn create_keys(client: &Client) -> Vec<String> {
    let mut done = Vec::new();
    for number in 0..20 {
        let body = json!({ "description": format!("key {number}"), "allowed_ips": [] });
        let answer = client.post("/api/client/account/api-keys", &body).unwrap();
        let key = answer.expect_json(200).unwrap();
        done.push(key["attributes"]["identifier"].as_str().unwrap().to_owned());
    }
    done
}
