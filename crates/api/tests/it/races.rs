//! Limits under pressure: thirty-two requests at once never get more than the limit allows, on either
//! engine (GHSA-jw2v-cq5x-q68g).

use std::collections::BTreeMap;

use futures_util::future::join_all;
use hatchery_app::databases;
use hatchery_store::both_dbs;
use hatchery_store::testing::TestStore;
use hatchery_testkit::{PanelOptions, TestPanel};
use serde_json::{Value, json};

use crate::database_server::{DatabaseServer, unique};

/// How many ask at once.
const MANY: usize = 32;

async fn panel(store: TestStore) -> TestPanel {
    let mut options = PanelOptions {
        seed: Some(unique()),
        ..PanelOptions::default()
    };
    options.settings.backups.throttle = None;
    TestPanel::over(store, options, hatchery_api::router)
        .await
        .unwrap()
}

/// Sends them all at once, by the owner, and counts the answers by their text.
async fn at_once(
    panel: &TestPanel,
    path: &str,
    body: impl Fn(usize) -> Value,
) -> BTreeMap<String, usize> {
    let calls = (0..MANY).map(|number| {
        let call = panel
            .call_as(&panel.world.owner, "POST", path)
            .json(&body(number));
        tokio::spawn(call.send())
    });
    let mut counts = BTreeMap::new();
    for answer in join_all(calls).await {
        *counts.entry(answer.unwrap().errors()).or_default() += 1;
    }
    counts
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected
        .map(|(text, count)| (text.to_owned(), count))
        .into()
}

const TOO_MANY_DATABASES: &str = "400 TooManyDatabasesException: Operation aborted: creating a new \
    database would put this server over the defined limit.";

both_dbs! {
    async fn databases_of_a_server(store: TestStore) {
        let Some(server) = DatabaseServer::mariadb() else { return };
        let panel = panel(store).await;
        server.lend(&panel, server.port).await;
        let path = panel.world.server.path("/databases");
        let run = unique();
        let different = |number| json!({"database": format!("r{run}_{number}"), "remote": "%"});
        assert_eq!(
            at_once(&panel, &path, different).await,
            counts([("200", 2), (TOO_MANY_DATABASES, MANY - 2)])
        );
        databases::drop_all_of(&panel.cx, panel.world.server.id).await.unwrap();
        let same = |_| json!({"database": format!("r{run}"), "remote": "%"});
        let duplicate = "400 DuplicateDatabaseNameException: A database with that name already exists \
            for this server.";
        assert_eq!(
            at_once(&panel, &path, same).await,
            counts([("200", 1), (duplicate, MANY - 1)])
        );
        databases::drop_all_of(&panel.cx, panel.world.server.id).await.unwrap();
    }

    async fn api_keys_of_an_account(store: TestStore) {
        let panel = panel(store).await;
        let limit = "400 DisplayException: You have reached the account limit for number of API keys.";
        // The owner has one key already, of 25.
        assert_eq!(
            at_once(&panel, "/api/client/account/api-keys", |_| json!({"description": "x"})).await,
            counts([("200", 24), (limit, MANY - 24)])
        );
    }

    async fn allocations_of_a_server(store: TestStore) {
        let panel = panel(store).await;
        let path = panel.world.server.path("/network/allocations");
        let limit = "400 DisplayException: Cannot assign additional allocations to this server: limit \
            has been reached.";
        // The server has two allocations, of three.
        assert_eq!(
            at_once(&panel, &path, |_| json!({})).await,
            counts([("200", 1), (limit, MANY - 1)])
        );
    }

    async fn backups_of_a_server(store: TestStore) {
        let panel = panel(store).await;
        let path = panel.world.server.path("/backups");
        let limit = "400 TooManyBackupsException: Cannot create a new backup, this server has reached \
            its limit of 2 backups.";
        assert_eq!(
            at_once(&panel, &path, |_| json!({})).await,
            counts([("200", 2), (limit, MANY - 2)])
        );
    }

    async fn tasks_of_a_schedule(store: TestStore) {
        let panel = panel(store).await;
        let path = panel.world.server.path("/schedules");
        let schedule = json!({
            "name": "x", "minute": "0", "hour": "0", "day_of_month": "*", "month": "*", "day_of_week": "*",
        });
        let made = panel.call_as(&panel.world.owner, "POST", &path).json(&schedule).send().await;
        let path = format!("{path}/{}", made.json()["attributes"]["id"]);
        let limit = "400 ServiceLimitExceededException: Schedules may not have more than 10 tasks associated \
            with them. Creating this task would put this schedule over the limit.";
        let task = |_| json!({"action": "command", "payload": "say x", "time_offset": 0});
        assert_eq!(
            at_once(&panel, &format!("{path}/tasks"), task).await,
            counts([("200", 10), (limit, MANY - 10)])
        );
        let shown = panel.call_as(&panel.world.owner, "GET", &path).send().await.json();
        let tasks = shown["attributes"]["relationships"]["tasks"]["data"].as_array().unwrap();
        let mut places: Vec<_> = tasks
            .iter()
            .map(|task| task["attributes"]["sequence_id"].as_u64().unwrap())
            .collect();
        places.sort_unstable();
        assert_eq!(places, (1..=10).collect::<Vec<_>>());
    }
}
