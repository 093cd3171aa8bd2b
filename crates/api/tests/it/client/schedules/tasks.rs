//! `…/schedules/{schedule}/tasks`.

use hatchery_testkit::TestPanel;
use serde_json::{Value, json};

use super::{NOT_FOUND, activity, call, schedule};
use crate::{panel, panel_with};

fn body(change: Value) -> Value {
    let mut body = json!({"action": "command", "payload": "x", "time_offset": 0});
    for (field, value) in change.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

async fn create(panel: &TestPanel, change: Value) -> Value {
    let made = call(panel, "POST", "/1/tasks", &body(change)).await;
    assert_eq!(made.status, 200, "{made}");
    made.json()["attributes"].clone()
}

/// Payload and place of each task, oldest first.
async fn places(panel: &TestPanel) -> String {
    let shown = call(panel, "GET", "/1", &Value::Null).await.json();
    let tasks = shown["attributes"]["relationships"]["tasks"]["data"]
        .as_array()
        .unwrap();
    let place = |task: &Value| {
        let task = &task["attributes"];
        format!(
            "{}{}",
            task["payload"].as_str().unwrap(),
            task["sequence_id"]
        )
    };
    tasks.iter().map(place).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn tasks_keep_their_places() {
    let panel = panel().await;
    schedule(&panel, json!({})).await;
    for payload in ["a", "b", "c"] {
        create(&panel, json!({"payload": payload})).await;
    }
    assert_eq!(places(&panel).await, "a1 b2 c3");
    create(&panel, json!({"payload": "d", "sequence_id": 1})).await;
    assert_eq!(places(&panel).await, "a2 b3 c4 d1");
    create(&panel, json!({"payload": "e", "sequence_id": 99})).await;
    assert_eq!(places(&panel).await, "a2 b3 c4 d1 e5");
    create(&panel, json!({"payload": "f", "sequence_id": "5.9"})).await;
    assert_eq!(places(&panel).await, "a2 b3 c4 d1 e6 f5");
    let update = async |task: u8, place: i64| {
        let payload = char::from(b'a' + task - 1).to_string();
        let change = body(json!({"payload": payload, "sequence_id": place}));
        call(&panel, "POST", &format!("/1/tasks/{task}"), &change)
            .await
            .json()
    };
    let moved = update(1, 4).await;
    assert_eq!(moved["attributes"]["sequence_id"], 4);
    assert_eq!(places(&panel).await, "a4 b2 c3 d1 e6 f5");
    update(1, 1).await;
    assert_eq!(places(&panel).await, "a1 b3 c4 d2 e6 f5");
    // The number is not clamped (client-api.md §8.3).
    update(2, 500).await;
    assert_eq!(places(&panel).await, "a1 b500 c3 d2 e5 f4");
    let kept = call(&panel, "POST", "/1/tasks/2", &body(json!({"payload": "b"})))
        .await
        .json();
    assert_eq!(kept["attributes"]["sequence_id"], 500);
    assert_eq!(
        call(&panel, "DELETE", "/1/tasks/4", &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(places(&panel).await, "a1 b499 c2 e4 f3");
    assert_eq!(
        call(&panel, "DELETE", "/1/tasks/4", &Value::Null)
            .await
            .errors(),
        NOT_FOUND
    );
}

#[tokio::test]
async fn a_task_is_made_replaced_and_deleted() {
    let panel = panel().await;
    schedule(&panel, json!({"name": "Nightly"})).await;
    let change = json!({"action": "power", "payload": "start", "time_offset": "15", "continue_on_failure": true});
    let made = call(&panel, "POST", "/1/tasks", &body(change)).await;
    insta::assert_snapshot!(made.text(), @r#"{"object":"schedule_task","attributes":{"id":1,"sequence_id":1,"action":"power","payload":"start","time_offset":15,"is_queued":false,"continue_on_failure":true,"created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00"}}"#);
    let fraction = create(
        &panel,
        json!({"time_offset": 1.5, "payload": "explode", "action": "power"}),
    )
    .await;
    assert_eq!(fraction["time_offset"], 2);
    let backup = create(
        &panel,
        json!({"action": "backup", "payload": null, "time_offset": 900}),
    )
    .await;
    assert_eq!(backup["payload"], "");
    panel.clock.advance(std::time::Duration::from_mins(1));
    let replaced = call(
        &panel,
        "POST",
        "/1/tasks/1",
        &body(json!({"payload": "changed", "time_offset": 5})),
    )
    .await
    .json();
    assert_eq!(
        replaced["attributes"]["continue_on_failure"], false,
        "absent counts as false"
    );
    assert_eq!(replaced["attributes"]["action"], "command");
    assert_eq!(
        replaced["attributes"]["updated_at"],
        "2026-01-01T00:01:00+00:00"
    );
    let shown = call(&panel, "GET", "/1", &Value::Null).await.json();
    assert_eq!(
        shown["attributes"]["updated_at"], "2026-01-01T00:01:00+00:00",
        "moves with its tasks"
    );
    assert_eq!(
        call(&panel, "DELETE", "/1/tasks/1", &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        activity(&panel).await[1..],
        [
            r#"server:task.create {"name":"Nightly","action":"power","payload":"start"}"#,
            r#"server:task.create {"name":"Nightly","action":"power","payload":"explode"}"#,
            r#"server:task.create {"name":"Nightly","action":"backup","payload":""}"#,
            // As they were before the update.
            r#"server:task.update {"name":"Nightly","action":"power","payload":"start"}"#,
            r#"server:task.delete {"name":"Nightly"}"#,
        ]
    );
}

#[tokio::test]
async fn fields_are_checked_by_their_rules() {
    let panel = panel().await;
    schedule(&panel, json!({})).await;
    create(&panel, json!({})).await;
    let table = [
        (
            json!({"payload": "x", "time_offset": 0}),
            "The action field is required. [action required]",
        ),
        (
            body(json!({"action": "explode"})),
            "The selected action is invalid. [action in]",
        ),
        (
            json!({"action": "command", "time_offset": 0}),
            "The payload field is required unless action is in backup. [payload required_unless]",
        ),
        (
            body(json!({"payload": null})),
            "The payload field is required unless action is in backup. [payload required_unless]",
        ),
        (
            body(json!({"payload": ""})),
            "The payload field is required unless action is in backup. [payload required_unless]",
        ),
        (
            body(json!({"payload": ["x"]})),
            "The payload must be a string. [payload string]",
        ),
        (
            json!({"action": "command", "payload": "x"}),
            "The time offset field is required. [time_offset required]",
        ),
        (
            body(json!({"time_offset": -1})),
            "The time offset must be at least 0. [time_offset min]",
        ),
        (
            body(json!({"time_offset": 901})),
            "The time offset may not be greater than 900. [time_offset max]",
        ),
        (
            body(json!({"sequence_id": 0})),
            "The sequence id must be at least 1. [sequence_id min]",
        ),
        (
            body(json!({"sequence_id": null})),
            "The sequence id field is required. [sequence_id required]",
        ),
        (
            body(json!({"sequence_id": "a"})),
            "The sequence id must be a number. [sequence_id numeric]",
        ),
        (
            body(json!({"continue_on_failure": "maybe"})),
            "The continue on failure field must be true or false. [continue_on_failure boolean]",
        ),
        (
            body(json!({"continue_on_failure": null})),
            "The continue on failure field is required. [continue_on_failure required]",
        ),
    ];
    for (body, expected) in table {
        for path in ["/1/tasks", "/1/tasks/1"] {
            let answer = call(&panel, "POST", path, &body).await.errors();
            let first = answer.lines().next().unwrap();
            assert_eq!(
                first,
                format!("422 ValidationException: {expected}"),
                "{path} {body}"
            );
        }
    }
    let empty = call(&panel, "POST", "/1/tasks", &json!({})).await.errors();
    assert_eq!(empty.lines().count(), 3, "{empty}");
    let huge = create(&panel, json!({"sequence_id": 1e300})).await;
    assert_eq!(huge["sequence_id"], 2);
}

#[tokio::test]
async fn what_is_refused_after_the_fields() {
    let panel = panel_with(|settings| settings.tasks_per_schedule = 2).await;
    schedule(&panel, json!({})).await;
    let other = schedule(&panel, json!({})).await;
    create(&panel, json!({})).await;
    create(&panel, json!({})).await;
    let full = call(&panel, "POST", "/1/tasks", &body(json!({}))).await;
    assert_eq!(
        full.errors(),
        "400 ServiceLimitExceededException: Schedules may not have more than 2 tasks associated with them. Creating this task would put this schedule over the limit."
    );
    for (method, path) in [
        ("POST", "/2/tasks/1"),
        ("DELETE", "/2/tasks/1"),
        ("POST", "/1/tasks/9"),
        ("POST", "/9/tasks"),
    ] {
        let answer = call(&panel, method, path, &body(json!({}))).await;
        assert_eq!(answer.errors(), NOT_FOUND, "{method} {path}");
    }
    assert_eq!(
        call(&panel, "GET", "/1/tasks", &Value::Null).await.errors(),
        format!(
            "405 MethodNotAllowedHttpException: The GET method is not supported for route {}. Supported methods: POST.",
            panel
                .world
                .server
                .path("/schedules/1/tasks")
                .trim_start_matches('/')
        )
    );
    let limits = hatchery_store::FeatureLimits {
        databases: None,
        allocations: None,
        backups: 0,
    };
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_feature_limits(panel.world.server.id, limits)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for path in [format!("/{other}/tasks"), "/1/tasks/1".to_owned()] {
        let answer = call(&panel, "POST", &path, &body(json!({"action": "backup"}))).await;
        assert_eq!(
            answer.errors(),
            "403 HttpForbiddenException: A backup task cannot be created when the server's backup limit is set to 0."
        );
    }
}

#[tokio::test]
async fn no_crowd_gets_past_the_limit() {
    let panel = panel().await;
    schedule(&panel, json!({})).await;
    let body = body(json!({}));
    let crowd = (0..32).map(|_| call(&panel, "POST", "/1/tasks", &body));
    let answers = futures_util::future::join_all(crowd).await;
    let made = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(made, 10);
    assert_eq!(places(&panel).await, "x1 x2 x3 x4 x5 x6 x7 x8 x9 x10");
}
