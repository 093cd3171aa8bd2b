//! A home-automation integration that polls: through the limit of requests, and a panel that ends and
//! comes back.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use hatchery_e2e::Engine;
use serde_json::{Value, json};

use crate::world::World;

/// How many rounds the integration goes at most.
const ROUNDS: &str = "1000";

/// The script, which needs nothing but Python.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/poller.py");

#[test]
fn a_poller_outlives_refusals_and_outages() {
    let mut world = World::new(Engine::Process);
    let (id, url) = (world.server("openarena", &[]).id.clone(), world.panel.url());
    // So few requests that it is refused for certain.
    world.panel.set("HATCHERY_RATE_LIMIT_PER_MINUTE", "6");
    world.panel.stop().unwrap();
    world.panel.start_again().unwrap();
    let mut poller = Command::new("python3")
        .args([SCRIPT, &url, &world.key, &id, ROUNDS])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::<Value>::new();
    for line in BufReader::new(poller.stdout.take().unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let running = line["state"] == "running";
        said.push(line);
        if running {
            world.panel.kill().unwrap();
            world.panel.start_again().unwrap();
        }
    }
    assert!(poller.wait().unwrap().success(), "{said:?}");
    // For whoever ends the games.
    world.panel.set("HATCHERY_RATE_LIMIT_PER_MINUTE", "0");
    world.panel.stop().unwrap();
    world.panel.start_again().unwrap();
    let states: Vec<_> = said
        .iter()
        .filter_map(|line| line["state"].as_str())
        .collect();
    assert!(states.starts_with(&["offline"]), "{states:?}");
    assert!(states.contains(&"running"), "{states:?}");
    assert_eq!(states.last(), Some(&"offline"), "{states:?}");
    assert_eq!(said[0], json!({"listed": "Coop"}));
    assert_eq!(said[1], json!({"memory": 1024, "suspended": false}));
    let running = said.iter().find(|line| line["state"] == "running").unwrap();
    assert_eq!(running["memory"], true);
    assert_eq!(said.last(), Some(&json!({"refused": true, "failed": true})));
}
