//! `POST …/schedules/{schedule}/execute`.

use serde_json::{Value, json};

use super::{activity, call, schedule};
use crate::panel;

fn command(payload: &str, offset: u32) -> Value {
    json!({"action": "command", "payload": payload, "time_offset": offset})
}

#[tokio::test]
async fn the_first_task_runs_at_once_and_the_next_is_queued() {
    let panel = panel().await;
    schedule(&panel, json!({"is_active": false, "name": "Nightly"})).await;
    for body in [command("say one", 30), command("say two", 60)] {
        call(&panel, "POST", "/1/tasks", &body).await;
    }
    let answer = call(&panel, "POST", "/1/execute", &json!({})).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (202, "[]")
    );
    let calls: Vec<String> = panel
        .node
        .take_calls()
        .iter()
        .map(ToString::to_string)
        .collect();
    let uuid = panel.world.server.uuid;
    assert_eq!(
        calls,
        [format!(
            "POST /api/servers/{uuid}/commands {{\"commands\":[\"say one\"]}}"
        )]
    );
    let shown = call(&panel, "GET", "/1?include=outcomes", &Value::Null)
        .await
        .json();
    let shown = &shown["attributes"];
    assert_eq!(shown["is_processing"], true);
    let tasks = &shown["relationships"]["tasks"]["data"];
    assert_eq!(tasks[0]["attributes"]["is_queued"], false);
    assert_eq!(
        tasks[0]["attributes"]["outcome"],
        json!({"at": "2026-01-01T00:00:00+00:00", "result": "done"})
    );
    assert_eq!(tasks[1]["attributes"]["is_queued"], true);
    assert!(tasks[1]["attributes"].get("outcome").is_none());
    let recorded = activity(&panel).await;
    assert_eq!(
        recorded.last().unwrap(),
        r#"server:schedule.execute {"name":"Nightly"}"#
    );
}

#[tokio::test]
async fn nothing_runs_without_tasks_or_while_the_server_is_off() {
    let panel = panel().await;
    schedule(&panel, json!({"only_when_online": true})).await;
    assert_eq!(
        call(&panel, "POST", "/1/execute", &json!({}))
            .await
            .errors(),
        "400 DisplayException: Cannot process schedule for task execution: no tasks are registered."
    );
    call(&panel, "POST", "/1/tasks", &command("say hi", 0)).await;
    let asked = format!("GET /api/servers/{}", panel.world.server.uuid);
    let off = json!({"state": "offline", "is_suspended": false, "utilization": {"uptime": 0}});
    for (status, body) in [(200, &off), (500, &json!({}))] {
        panel.node.answer_next(status, body);
        let answer = call(&panel, "POST", "/1/execute", &json!({})).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text().as_str()),
            (202, "[]")
        );
        let calls: Vec<String> = panel
            .node
            .take_calls()
            .into_iter()
            .map(|call| call.line)
            .collect();
        assert_eq!(calls, [asked.as_str()]);
        let shown = call(&panel, "GET", "/1", &Value::Null).await.json();
        assert_eq!(shown["attributes"]["is_processing"], false);
        assert_eq!(
            shown["attributes"]["last_run_at"],
            "2026-01-01T00:00:00+00:00"
        );
    }
    // It runs, so the task does, too.
    call(&panel, "POST", "/1/execute", &json!({})).await;
    assert_eq!(panel.node.take_calls().len(), 2);
}

#[tokio::test]
async fn the_failure_of_the_first_task_is_the_answer() {
    let panel = panel().await;
    schedule(&panel, json!({})).await;
    call(&panel, "POST", "/1/tasks", &command("say hi", 0)).await;
    call(&panel, "POST", "/1/tasks", &command("say more", 0)).await;
    panel.node.set_unreachable(true);
    assert_eq!(
        call(&panel, "POST", "/1/execute", &json!({}))
            .await
            .errors(),
        "504 DaemonConnectionException: Could not establish a connection to the machine running this server. Please try again."
    );
    let shown = call(&panel, "GET", "/1?include=outcomes", &Value::Null)
        .await
        .json();
    let shown = &shown["attributes"];
    assert_eq!(shown["is_processing"], false);
    assert_eq!(shown["last_run_at"], "2026-01-01T00:00:00+00:00");
    let tasks = shown["relationships"]["tasks"]["data"].as_array().unwrap();
    assert!(
        tasks
            .iter()
            .all(|task| task["attributes"]["is_queued"] == false)
    );
    let result = tasks[0]["attributes"]["outcome"]["result"]
        .as_str()
        .unwrap();
    assert!(
        result.starts_with("failed: the node could not be reached"),
        "{result}"
    );
    let recorded = activity(&panel).await;
    assert!(
        recorded.iter().all(|entry| !entry.contains("execute")),
        "{recorded:?}"
    );

    // With `continue_on_failure` the run goes on.
    let mut body = command("say hi", 0);
    body["continue_on_failure"] = json!(true);
    call(&panel, "POST", "/1/tasks/1", &body).await;
    assert_eq!(
        call(&panel, "POST", "/1/execute", &json!({})).await.status,
        202
    );
    let shown = call(&panel, "GET", "/1", &Value::Null).await.json();
    assert_eq!(shown["attributes"]["is_processing"], true);
}

#[tokio::test]
async fn a_power_signal_is_sent_as_it_was_written() {
    let panel = panel().await;
    schedule(&panel, json!({})).await;
    let body = json!({"action": "power", "payload": "explode", "time_offset": 0});
    call(&panel, "POST", "/1/tasks", &body).await;
    panel
        .node
        .answer_next(422, &json!({"error": "No such signal."}));
    assert_eq!(
        call(&panel, "POST", "/1/execute", &json!({}))
            .await
            .errors(),
        "422 DaemonConnectionException: An error occurred on the remote host: No such signal.. (request id: 00000000-0000-4000-8000-00000000beef)"
    );
    let sent = panel.node.take_calls()[0].body.clone();
    let sent: Value = serde_json::from_slice(&sent).unwrap();
    assert_eq!(sent["action"], "explode");
}
