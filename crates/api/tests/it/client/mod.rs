//! `/api/client`.

pub(crate) mod account;
mod backups;
mod databases;
mod files;
mod list;
mod network;
mod permissions;
mod schedules;
mod servers;
mod settings;
mod startup;
mod users;

use std::fmt::Write as _;

use hatchery_testkit::{Answer, Person, TestPanel};
use serde_json::{Value, json};

/// A request about the world's server.
async fn ask(panel: &TestPanel, person: &Person, method: &str, rest: &str, body: &Value) -> Answer {
    let call = panel.call_as(person, method, &panel.world.server.path(rest));
    let call = if body.is_null() {
        call
    } else {
        call.json(body)
    };
    call.send().await
}

/// The same by its owner.
async fn send(panel: &TestPanel, method: &str, rest: &str, body: Value) -> Answer {
    ask(panel, &panel.world.owner, method, rest, &body).await
}

/// What the node was asked.
fn asked(panel: &TestPanel) -> Vec<String> {
    let server = format!("/api/servers/{}", panel.world.server.uuid);
    let calls = panel.node.take_calls();
    let calls = calls.iter().map(ToString::to_string);
    calls.map(|call| call.replace(&server, "")).collect()
}

/// What was recorded of the server, oldest first.
async fn recorded(panel: &TestPanel) -> Vec<Value> {
    let log = send(panel, "GET", "/activity", Value::Null).await.json();
    let entries = log["data"].as_array().into_iter().flatten();
    entries
        .map(|entry| {
            json!([
                entry["attributes"]["event"],
                entry["attributes"]["properties"]
            ])
        })
        .collect()
}

/// What each body is answered, one line for each error.
async fn answers(panel: &TestPanel, method: &str, rest: &str, bodies: &[Value]) -> String {
    let mut lines = String::new();
    for body in bodies {
        let answer = send(panel, method, rest, body.clone()).await.errors();
        let mut body = body.to_string();
        if body.chars().count() > 60 {
            body = body.chars().take(59).chain(['…']).collect();
        }
        writeln!(lines, "{body}\n  {}", answer.replace('\n', "\n  ")).unwrap();
    }
    lines
}
