//! A schedule that runs on a real game server.

use hatchery_e2e::Engine;
use serde_json::json;

use crate::world::{World, wait_for};

/// A run by hand carries out the first task before it answers, and the panel goes on with the others
/// by itself, even when it was killed in between.
#[test]
fn a_schedule_runs_and_survives_the_panel() {
    let mut world = World::new(Engine::Process);
    let id = world.server("demo", &[]).id.clone();
    let schedules = format!("/api/client/servers/{id}/schedules");
    let body = json!({
        "name": "Start and greet", "is_active": false, "minute": "0", "hour": "0",
        "day_of_month": "*", "month": "*", "day_of_week": "*",
    });
    let client = world.client();
    let made = client.post(&schedules, &body).unwrap();
    let made = made.expect_json(200).unwrap();
    let schedule = format!("{schedules}/{}", made["attributes"]["id"]);
    for (action, payload, offset) in [("power", "start", 0), ("power", "kill", 3)] {
        let task = json!({"action": action, "payload": payload, "time_offset": offset});
        let made = client.post(&format!("{schedule}/tasks"), &task).unwrap();
        made.expect(200).unwrap();
    }
    let ran = client
        .post(&format!("{schedule}/execute"), &json!({}))
        .unwrap();
    assert_eq!(ran.expect(202).unwrap().text(), "[]");

    world.panel.kill().unwrap();
    world.panel.start_again().unwrap();
    let client = world.client();
    let shown = wait_for("the end of the schedule", || {
        let answer = client.get(&format!("{schedule}?include=outcomes")).unwrap();
        let shown = answer.expect_json(200).unwrap()["attributes"].clone();
        (shown["is_processing"] == false).then_some(shown)
    });
    let tasks = shown["relationships"]["tasks"]["data"].as_array().unwrap();
    for task in tasks {
        assert_eq!(task["attributes"]["outcome"]["result"], "done", "{shown}");
    }
}
