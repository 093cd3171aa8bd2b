//! `/api/client/servers/{server}/schedules`.

mod due;
mod execute;
mod tasks;

use hatchery_store::{ActivityOrder, ActivityQuery, Page, Subject};
use hatchery_testkit::{Answer, TestPanel};
use serde_json::{Value, json};

use crate::panel;

/// What a schedule is made of; `change` says how it differs, null leaves a field out.
pub(super) fn body(change: Value) -> Value {
    let mut body = json!({
        "name": "New", "is_active": true, "only_when_online": false, "minute": "*/10", "hour": "*",
        "day_of_month": "*", "month": "*", "day_of_week": "*",
    });
    for (field, value) in change.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

fn without(field: &str) -> Value {
    let mut body = body(json!({}));
    body.as_object_mut().unwrap().remove(field);
    body
}

/// The owner's call on the server's schedules.
pub(super) async fn call(panel: &TestPanel, method: &str, path: &str, body: &Value) -> Answer {
    let path = panel.world.server.path(&format!("/schedules{path}"));
    let call = panel.call_as(&panel.world.owner, method, &path);
    if body.is_null() {
        call.send().await
    } else {
        call.json(body).send().await
    }
}

/// A new schedule's number.
pub(super) async fn schedule(panel: &TestPanel, change: Value) -> i64 {
    let made = call(panel, "POST", "", &body(change)).await.json();
    made["attributes"]["id"].as_i64().unwrap()
}

/// The server's activity: event, details, and what it is about.
pub(super) async fn activity(panel: &TestPanel) -> Vec<String> {
    let query = ActivityQuery {
        event: Vec::new(),
        order: ActivityOrder::Recorded,
        page: Page {
            number: 1,
            size: 100,
        },
        hide_admins: false,
    };
    let subject = Subject::Server(panel.world.server.id);
    let found = panel.store.activity(subject, &query).await.unwrap();
    let show = |record: &hatchery_store::ActivityRecord| {
        let details = Value::Object(record.properties.clone());
        format!("{} {details}", record.event)
    };
    found.items.iter().map(show).collect()
}

#[tokio::test]
async fn a_schedule_is_made_shown_replaced_and_deleted() {
    let panel = panel().await;
    let made = call(
        &panel,
        "POST",
        "",
        &body(json!({"only_when_online": "yes"})),
    )
    .await;
    insta::assert_snapshot!(made.text(), @r#"{"object":"server_schedule","attributes":{"id":1,"name":"New","cron":{"day_of_week":"*","day_of_month":"*","month":"*","hour":"*","minute":"*/10"},"is_active":true,"is_processing":false,"only_when_online":true,"last_run_at":null,"next_run_at":"2026-01-01T00:10:00+00:00","created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00","relationships":{"tasks":{"object":"list","data":[]}}}}"#);
    let task = json!({"action": "command", "payload": "say hi", "time_offset": 0});
    assert_eq!(call(&panel, "POST", "/1/tasks", &task).await.status, 200);
    let listed = call(&panel, "GET", "", &Value::Null).await;
    insta::assert_snapshot!(listed.text(), @r#"{"object":"list","data":[{"object":"server_schedule","attributes":{"id":1,"name":"New","cron":{"day_of_week":"*","day_of_month":"*","month":"*","hour":"*","minute":"*/10"},"is_active":true,"is_processing":false,"only_when_online":true,"last_run_at":null,"next_run_at":"2026-01-01T00:10:00+00:00","created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00","relationships":{"tasks":{"object":"list","data":[{"object":"schedule_task","attributes":{"id":1,"sequence_id":1,"action":"command","payload":"say hi","time_offset":0,"is_queued":false,"continue_on_failure":false,"created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00"}}]}}}}]}"#);
    let shown = call(&panel, "GET", "/1", &Value::Null).await.json();
    assert_eq!(shown, listed.json()["data"][0]);

    panel.clock.advance(std::time::Duration::from_mins(7));
    let change = json!({"name": "Renamed", "is_active": false, "hour": "3"});
    let updated = call(&panel, "POST", "/1", &body(change)).await.json();
    let updated = &updated["attributes"];
    assert_eq!(updated["name"], "Renamed");
    assert_eq!(updated["is_active"], false);
    assert_eq!(updated["only_when_online"], false, "absent counts as false");
    assert_eq!(updated["next_run_at"], "2026-01-01T03:00:00+00:00");
    assert_eq!(updated["created_at"], "2026-01-01T00:00:00+00:00");
    assert_eq!(updated["updated_at"], "2026-01-01T00:07:00+00:00");
    assert_eq!(
        updated["relationships"]["tasks"]["data"][0]["attributes"]["id"],
        1
    );

    assert_eq!(call(&panel, "DELETE", "/1", &Value::Null).await.status, 204);
    for (method, body) in [
        ("GET", Value::Null),
        ("DELETE", Value::Null),
        ("POST", body(json!({}))),
    ] {
        let gone = call(&panel, method, "/1", &body).await;
        assert_eq!(gone.errors(), NOT_FOUND);
    }
    assert_eq!(
        activity(&panel).await,
        [
            r#"server:schedule.create {"name":"New"}"#,
            r#"server:task.create {"name":"New","action":"command","payload":"say hi"}"#,
            r#"server:schedule.update {"name":"New","active":false}"#,
            r#"server:schedule.delete {"name":"Renamed"}"#,
        ]
    );
    assert!(panel.node.take_calls().is_empty());
}

pub(super) const NOT_FOUND: &str =
    "404 NotFoundHttpException: The requested resource could not be found on the server.";
const NEVER: &str =
    "400 DisplayException: The cron data provided does not evaluate to a valid expression.";

#[tokio::test]
async fn fields_are_checked_by_their_rules() {
    let panel = panel().await;
    let required = |field: &str, label: &str| {
        format!("422 ValidationException: The {label} field is required. [{field} required]")
    };
    let long = "n".repeat(192);
    let table = [
        (without("name"), required("name", "name")),
        (body(json!({"name": "  "})), required("name", "name")),
        (body(json!({"name": 5})), "422 ValidationException: The name must be a string. [name string]".to_owned()),
        (body(json!({"name": long})), "422 ValidationException: The name may not be greater than 191 characters. [name max]".to_owned()),
        (body(json!({"is_active": "maybe"})), "422 ValidationException: The is active field must be true or false. [is_active boolean]".to_owned()),
        (body(json!({"is_active": "false"})), "422 ValidationException: The is active field must be true or false. [is_active boolean]".to_owned()),
        (body(json!({"is_active": null})), "422 ValidationException: The is active field is required. [is_active filled]".to_owned()),
        (without("minute"), required("minute", "minute")),
        (body(json!({"minute": ""})), required("minute", "minute")),
        (body(json!({"minute": 5})), "422 ValidationException: The minute must be a string. [minute string]".to_owned()),
        (without("hour"), required("hour", "hour")),
        (without("day_of_month"), required("day_of_month", "day of month")),
        (without("day_of_week"), required("day_of_week", "day of week")),
        (without("month"), required("month", "month")),
        (body(json!({"month": ["*"]})), "422 ValidationException: The month must be a string. [month string]".to_owned()),
        (json!({}), [("name", "name"), ("minute", "minute"), ("hour", "hour"), ("day_of_month", "day of month"), ("day_of_week", "day of week")]
            .map(|(field, label)| required(field, label)).join("\n")),
        (body(json!({"minute": "61"})), NEVER.to_owned()),
        (body(json!({"hour": "24"})), NEVER.to_owned()),
        (body(json!({"month": "13"})), NEVER.to_owned()),
        (body(json!({"day_of_week": "9"})), NEVER.to_owned()),
        (body(json!({"minute": "@daily"})), NEVER.to_owned()),
        (body(json!({"minute": "1 2"})), NEVER.to_owned()),
        (body(json!({"day_of_month": "31", "month": "2"})), NEVER.to_owned()),
        (body(json!({"hour": "10-5"})), NEVER.to_owned()),
    ];
    let id = schedule(&panel, json!({})).await;
    for (body, expected) in table {
        for path in [String::new(), format!("/{id}")] {
            let answer = call(&panel, "POST", &path, &body).await;
            assert_eq!(answer.errors(), expected, "{path} {body}");
        }
    }
    assert_eq!(
        activity(&panel).await.len(),
        1,
        "what was refused is not recorded"
    );
}

#[tokio::test]
async fn truth_and_names_in_all_their_forms() {
    let panel = panel().await;
    for (value, expected) in [
        (json!(true), true),
        (json!(1), true),
        (json!("abc"), true),
        (json!(["x"]), true),
        (json!(false), false),
        (json!(0), false),
        (json!("0"), false),
        (json!(""), false),
        (json!(null), false),
        (json!([]), false),
    ] {
        let made = call(
            &panel,
            "POST",
            "",
            &body(json!({"only_when_online": value})),
        )
        .await;
        assert_eq!(
            made.json()["attributes"]["only_when_online"],
            expected,
            "{value}"
        );
    }
    for (value, expected) in [(json!(1), true), (json!("1"), true), (json!("0"), false)] {
        let made = call(&panel, "POST", "", &body(json!({"is_active": value}))).await;
        assert_eq!(made.json()["attributes"]["is_active"], expected, "{value}");
    }
    let made = call(&panel, "POST", "", &without("is_active")).await.json();
    assert_eq!(made["attributes"]["is_active"], false);
    let change = json!({"month": "JAN", "day_of_week": "MON-FRI", "day_of_month": "?"});
    let made = call(&panel, "POST", "", &body(change)).await.json();
    assert_eq!(made["attributes"]["cron"]["month"], "JAN");
    assert_eq!(made["attributes"]["cron"]["day_of_week"], "MON-FRI");
}

#[tokio::test]
async fn only_the_server_s_own_schedules_are_found() {
    let panel = panel().await;
    let id = schedule(&panel, json!({})).await;
    let other = hatchery_testkit::ServerSketch {
        name: "Other",
        owner: panel.world.owner.id,
        status: None,
        allocations: 1,
    };
    let other = panel.add_server(&other).await.unwrap();
    for path in [
        other.path(&format!("/schedules/{id}")),
        panel.world.server.path("/schedules/9999"),
        panel.world.server.path(&format!("/schedules/{id}abc")),
        panel.world.server.path(&format!("/schedules/+{id}")),
        panel.world.server.path("/schedules/99999999999999999999"),
        panel.world.server.path("/schedules/-1"),
    ] {
        let answer = panel.call_as(&panel.world.owner, "GET", &path).send().await;
        assert_eq!(answer.errors(), NOT_FOUND, "{path}");
    }
    let path = other.path("/schedules");
    let listed = panel.call_as(&panel.world.owner, "GET", &path).send().await;
    assert_eq!(listed.text(), r#"{"object":"list","data":[]}"#);
}

#[tokio::test]
async fn the_list_can_be_sorted_and_filtered() {
    let panel = panel().await;
    for name in ["b", "a", "c"] {
        schedule(&panel, json!({"name": name})).await;
    }
    let listed = call(&panel, "GET", "?sort=-name&per_page=2", &Value::Null)
        .await
        .json();
    let names: Vec<&Value> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["attributes"]["name"])
        .collect();
    assert_eq!(names, ["c", "b"]);
    assert_eq!(listed["meta"]["pagination"]["total"], 3);
}
