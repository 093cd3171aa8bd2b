//! Schedules that run by themselves: one panel or several over one database, of either kind.

use std::time::Duration;

use hatchery_app::Cx;
use hatchery_app::schedules::{Slots, carry_out, take_due};
use hatchery_store::both_dbs;
use hatchery_store::testing::TestStore;
use hatchery_testkit::{PanelOptions, TestPanel};
use hatchery_vocab::ServerStatus;
use serde_json::{Value, json};

use super::{body, call, schedule};

async fn panel(store: TestStore) -> TestPanel {
    let options = PanelOptions::default();
    TestPanel::over(store, options, hatchery_api::router)
        .await
        .unwrap()
}

/// Does everything that is due, one job after the other.
async fn run_due(cx: &Cx) {
    let slots = Slots::default();
    loop {
        let jobs = take_due(cx, &slots).await.unwrap();
        if jobs.is_empty() {
            return;
        }
        for job in jobs {
            carry_out(cx, job).await.unwrap();
        }
    }
}

async fn task(panel: &TestPanel, schedule: i64, payload: &str, offset: u32, goes_on: bool) {
    let body = json!({
        "action": "command", "payload": payload, "time_offset": offset,
        "continue_on_failure": goes_on,
    });
    let made = call(panel, "POST", &format!("/{schedule}/tasks"), &body).await;
    assert_eq!(made.status, 200, "{made}");
}

/// The commands that reached the node since the last call, or the address of another call.
fn said(panel: &TestPanel) -> Vec<String> {
    let say = |call: hatchery_testkit::NodeCall| {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        match body["commands"][0].as_str() {
            Some(command) => command.to_owned(),
            None => call.line.replace(&panel.world.server.uuid.to_string(), "…"),
        }
    };
    panel.node.take_calls().into_iter().map(say).collect()
}

async fn shown(panel: &TestPanel, id: i64) -> Value {
    let path = format!("/{id}?include=outcomes");
    call(panel, "GET", &path, &Value::Null).await.json()["attributes"].clone()
}

fn result(schedule: &Value, task: usize) -> &Value {
    let tasks = &schedule["relationships"]["tasks"]["data"];
    &tasks[task]["attributes"]["outcome"]["result"]
}

async fn wakes_in(panel: &TestPanel) -> u64 {
    let now = panel.cx.now();
    let at = panel.store.schedules_wake_at(now).await.unwrap().unwrap();
    at.since(now).as_secs()
}

both_dbs! {
    async fn tasks_follow_each_other_by_their_offsets(store: TestStore) {
        let panel = panel(store).await;
        let id = schedule(&panel, json!({"minute": "30", "hour": "4"})).await;
        task(&panel, id, "one", 5, false).await;
        task(&panel, id, "two", 60, false).await;
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), [""; 0], "not due yet");
        assert_eq!(wakes_in(&panel).await, 4 * 3600 + 30 * 60);

        panel.clock.advance(Duration::from_mins(4 * 60 + 30));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), [""; 0], "the first task waits, too");
        let begun = shown(&panel, id).await;
        assert_eq!(begun["is_processing"], true);
        assert_eq!(begun["next_run_at"], "2026-01-02T04:30:00+00:00");
        assert_eq!(wakes_in(&panel).await, 5);
        panel.clock.advance(Duration::from_secs(5));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["one"]);
        assert_eq!(wakes_in(&panel).await, 60);
        panel.clock.advance(Duration::from_secs(59));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), [""; 0]);
        panel.clock.advance(Duration::from_secs(1));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["two"]);
        let ended = shown(&panel, id).await;
        assert_eq!(ended["is_processing"], false);
        assert_eq!(ended["last_run_at"], "2026-01-01T04:31:05+00:00");
        assert_eq!((result(&ended, 0), result(&ended, 1)), (&json!("done"), &json!("done")));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), [""; 0]);
    }

    async fn what_was_missed_comes_once(store: TestStore) {
        let panel = panel(store).await;
        let id = schedule(&panel, json!({"minute": "*"})).await;
        task(&panel, id, "hello", 0, false).await;
        panel.clock.advance(Duration::from_hours(48));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["hello"]);
        assert_eq!(shown(&panel, id).await["next_run_at"], "2026-01-03T00:01:00+00:00");
    }

    async fn two_panels_run_everything_once(store: TestStore) {
        let panel = panel(store).await;
        let (second, other_node) = panel.replica().await.unwrap();
        for number in 0..6 {
            let id = schedule(&panel, json!({"minute": "*"})).await;
            task(&panel, id, &format!("{number}a"), 0, false).await;
            task(&panel, id, &format!("{number}b"), 0, false).await;
        }
        for _ in 0..3 {
            panel.clock.advance(Duration::from_mins(1));
            tokio::join!(run_due(&panel.cx), run_due(&second), run_due(&panel.cx));
        }
        let mut said = said(&panel);
        for call in other_node.take_calls() {
            let body: Value = serde_json::from_slice(&call.body).unwrap();
            said.push(body["commands"][0].as_str().unwrap().to_owned());
        }
        said.sort();
        let expected: Vec<String> = (0..6)
            .flat_map(|number| ["a", "b"].map(|task| format!("{number}{task}")))
            .flat_map(|command| [command.clone(), command.clone(), command])
            .collect();
        assert_eq!(said, expected);
    }

    async fn a_run_outlives_the_panel(store: TestStore) {
        let panel = panel(store).await;
        let id = schedule(&panel, json!({"minute": "*"})).await;
        task(&panel, id, "one", 0, false).await;
        task(&panel, id, "two", 30, false).await;
        panel.clock.advance(Duration::from_mins(1));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["one"]);
        // The panel that began is gone; another one goes on.
        let (second, node) = panel.replica().await.unwrap();
        panel.clock.advance(Duration::from_secs(30));
        run_due(&second).await;
        assert_eq!(node.take_calls().len(), 1);
        assert_eq!(shown(&panel, id).await["is_processing"], false);
    }

    async fn a_task_that_was_cut_short_has_failed(store: TestStore) {
        let panel = panel(store).await;
        let stops = schedule(&panel, json!({"minute": "0", "hour": "4"})).await;
        let goes_on = schedule(&panel, json!({"minute": "0", "hour": "4"})).await;
        for (id, flag) in [(stops, false), (goes_on, true)] {
            task(&panel, id, &format!("{id} one"), 0, flag).await;
            task(&panel, id, &format!("{id} two"), 0, flag).await;
        }
        panel.clock.advance(Duration::from_hours(4));
        let slots = Slots::default();
        for job in take_due(&panel.cx, &slots).await.unwrap() {
            carry_out(&panel.cx, job).await.unwrap();
        }
        // The panel is killed in the middle of both first tasks.
        drop(take_due(&panel.cx, &slots).await.unwrap());
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), [""; 0], "somebody may be at it still");
        assert_eq!(shown(&panel, stops).await["is_processing"], true);
        panel.clock.advance(Duration::from_mins(3));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), [format!("{goes_on} two")]);
        let stopped = shown(&panel, stops).await;
        assert_eq!(stopped["is_processing"], false);
        assert_eq!(*result(&stopped, 0), "failed: the panel ended in the middle of it");
        assert_eq!(*result(&stopped, 1), Value::Null);
        assert_eq!(shown(&panel, goes_on).await["is_processing"], false);
    }

    async fn failures_stop_a_run_unless_it_is_to_go_on(store: TestStore) {
        let panel = panel(store).await;
        let id = schedule(&panel, json!({"minute": "0", "hour": "4"})).await;
        task(&panel, id, "one", 0, true).await;
        task(&panel, id, "two", 0, false).await;
        task(&panel, id, "three", 0, false).await;
        panel.clock.advance(Duration::from_hours(4));
        panel.node.answer_next(502, &json!({"error": "offline"}));
        panel.node.answer_next(502, &json!({"error": "offline"}));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["one", "two"]);
        let stopped = shown(&panel, id).await;
        assert_eq!(stopped["is_processing"], false);
        assert_eq!(*result(&stopped, 1), "failed: the node answered 502 Bad Gateway: offline");
        assert_eq!(*result(&stopped, 2), Value::Null);
    }

    async fn only_what_may_run_does(store: TestStore) {
        let panel = panel(store).await;
        let at_four = |change: Value| {
            let mut changes = json!({"minute": "0", "hour": "4"});
            changes.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            changes
        };
        let inactive = schedule(&panel, at_four(json!({"is_active": false}))).await;
        let empty = schedule(&panel, at_four(json!({}))).await;
        let online = schedule(&panel, at_four(json!({"only_when_online": true}))).await;
        task(&panel, inactive, "inactive", 0, false).await;
        task(&panel, online, "online", 0, false).await;
        panel.clock.advance(Duration::from_hours(4));
        panel.node.answer_next(200, &json!({"state": "stopping", "is_suspended": false, "utilization": {"uptime": 0}}));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["GET /api/servers/…"]);
        assert_eq!(shown(&panel, online).await["last_run_at"], "2026-01-01T04:00:00+00:00");
        assert_eq!(shown(&panel, empty).await["last_run_at"], Value::Null);

        // Switched off between two tasks, or by hand, whichever.
        for id in [inactive, online] {
            task(&panel, id, "later", 600, false).await;
        }
        panel.clock.advance(Duration::from_hours(24));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["GET /api/servers/…", "online"]);
        call(&panel, "POST", &format!("/{inactive}/execute"), &json!({})).await;
        let off = body(at_four(json!({"is_active": false})));
        call(&panel, "POST", &format!("/{online}"), &off).await;
        panel.clock.advance(Duration::from_mins(10));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["inactive", "later"], "by hand it goes on");
        assert_eq!(shown(&panel, online).await["is_processing"], false);

        // Nothing begins while the server is suspended, and what has begun fails.
        let on = body(at_four(json!({})));
        call(&panel, "POST", &format!("/{online}"), &on).await;
        panel.clock.advance(Duration::from_hours(24));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["online"]);
        set_status(&panel, Some(ServerStatus::Suspended)).await;
        panel.clock.advance(Duration::from_mins(10));
        run_due(&panel.cx).await;
        panel.clock.advance(Duration::from_hours(24));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), [""; 0]);
        set_status(&panel, None).await;
        assert_eq!(*result(&shown(&panel, online).await, 1), "failed: the server's state does not allow it");
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["online"], "it is made up for");
    }

    async fn a_run_by_hand_takes_the_place_of_another(store: TestStore) {
        let panel = panel(store).await;
        let id = schedule(&panel, json!({"minute": "0", "hour": "4"})).await;
        task(&panel, id, "one", 0, false).await;
        task(&panel, id, "two", 60, false).await;
        for _ in 0..2 {
            let answer = call(&panel, "POST", &format!("/{id}/execute"), &json!({})).await;
            assert_eq!(answer.status, 202);
        }
        panel.clock.advance(Duration::from_mins(1));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["one", "one", "two"]);
    }

    async fn tasks_may_go_while_they_wait(store: TestStore) {
        let panel = panel(store).await;
        let id = schedule(&panel, json!({"minute": "0", "hour": "4"})).await;
        task(&panel, id, "one", 0, false).await;
        task(&panel, id, "two", 60, false).await;
        call(&panel, "POST", &format!("/{id}/execute"), &json!({})).await;
        call(&panel, "DELETE", &format!("/{id}/tasks/2"), &Value::Null).await;
        panel.clock.advance(Duration::from_mins(1));
        run_due(&panel.cx).await;
        assert_eq!(shown(&panel, id).await["is_processing"], false);
        task(&panel, id, "two", 60, false).await;
        call(&panel, "POST", &format!("/{id}/execute"), &json!({})).await;
        call(&panel, "DELETE", &format!("/{id}"), &Value::Null).await;
        panel.clock.advance(Duration::from_mins(1));
        run_due(&panel.cx).await;
        assert_eq!(said(&panel), ["one", "one"]);
    }

    async fn a_busy_node_has_a_bounded_share(store: TestStore) {
        let panel = panel(store).await;
        for _ in 0..20 {
            let id = schedule(&panel, json!({"minute": "0", "hour": "4"})).await;
            task(&panel, id, "x", 0, false).await;
        }
        panel.clock.advance(Duration::from_hours(4));
        let slots = Slots::default();
        let first = take_due(&panel.cx, &slots).await.unwrap();
        assert_eq!(first.len(), 8);
        assert!(take_due(&panel.cx, &slots).await.unwrap().is_empty());
        for job in first {
            carry_out(&panel.cx, job).await.unwrap();
        }
        run_due(&panel.cx).await;
        assert_eq!(said(&panel).len(), 20);
    }
}

async fn set_status(panel: &TestPanel, status: Option<ServerStatus>) {
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_server_status(panel.world.server.id, status)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn whoever_waits_is_woken_by_a_commit() {
    let panel = panel(TestStore::sqlite().await.unwrap()).await;
    let mut commits = panel.store.schedule_commits();
    commits.borrow_and_update();
    let id = schedule(&panel, json!({})).await;
    assert!(commits.has_changed().unwrap());
    commits.borrow_and_update();
    task(&panel, id, "x", 0, false).await;
    assert!(commits.has_changed().unwrap());
    commits.borrow_and_update();
    shown(&panel, id).await;
    assert!(!commits.has_changed().unwrap());
}

#[tokio::test]
async fn schedules_follow_the_panel_s_time_zone() {
    let mut options = PanelOptions::default();
    options.settings.time_zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let store = TestStore::sqlite().await.unwrap();
    let panel = TestPanel::over(store, options, hatchery_api::router)
        .await
        .unwrap();
    let id = schedule(&panel, json!({"minute": "0", "hour": "4"})).await;
    assert_eq!(
        shown(&panel, id).await["next_run_at"],
        "2026-01-01T03:00:00+00:00"
    );
}
