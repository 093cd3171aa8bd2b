//! The activity log.

use std::time::Duration;

use hatchery_store::ActivityOrder::{NewestFirst, OldestFirst, Recorded};
use hatchery_store::testing::{TEST_START, TestStore};
use hatchery_store::{ActivityEntry, ActivityOrder, ActivityQuery, Page, Subject, both_dbs};
use hatchery_vocab::{ServerId, UserId};

use crate::world::{World, new_user};

fn entry(event: &str, actor: Option<UserId>, subjects: &[Subject], second: u64) -> ActivityEntry {
    ActivityEntry {
        event: event.to_owned(),
        ip: Some("10.0.0.9".to_owned()),
        description: None,
        actor,
        api_key: None,
        properties: serde_json::json!({"z": second, "a": [1]})
            .as_object()
            .unwrap()
            .clone(),
        subjects: subjects.to_vec(),
        at: TEST_START.plus(Duration::from_secs(second)),
    }
}

fn query(event: &[&str], order: ActivityOrder, number: u64, size: u64) -> ActivityQuery {
    let event = event.iter().map(|part| (*part).to_owned()).collect();
    ActivityQuery {
        event,
        order,
        page: Page { number, size },
        hide_admins: false,
    }
}

both_dbs! {
    async fn nobody_fills_the_log_with_one_entry(store: TestStore) {
        let server = Subject::Server(ServerId::new(1));
        let long = "é\u{0}".repeat(1_000_000);
        let many: Vec<_> = (0..100_000).map(|number| number.to_string()).collect();
        for details in [
            serde_json::json!({"first": "kept", "command": long, "last": "gone"}),
            serde_json::json!({"first": "kept", "files": many}),
            serde_json::json!({"first": "kept", "files": many.iter().map(|name| serde_json::json!({"from": name})).collect::<Vec<_>>()}),
            serde_json::json!({"first": "kept", long.as_str(): 1}),
        ] {
            let mut entry = entry("server:console.command", None, &[server], 0);
            entry.properties.clone_from(details.as_object().unwrap());
            store.record_activity(entry);
        }
        let list = store.activity(server, &query(&[], Recorded, 1, 10)).await.unwrap();
        assert_eq!(list.total, 4);
        for item in list.items {
            let length = serde_json::to_string(&item.properties).unwrap().len();
            assert!(length < 256 * 1024, "{length}");
            assert_eq!(item.properties["first"], "kept");
            assert!(!item.properties.contains_key("last"));
        }
    }

    async fn entries_are_listed_filtered_sorted_and_paged(store: TestStore) {
        let world = World::create(&store).await;
        let server = Subject::Server(ServerId::new(1));
        let events = ["server:power.start", "server:file.upload", "server:console.command", "auth:success"];
        for number in 0..40 {
            // Times run backwards, so that both orders can be told apart.
            store.record_activity(entry(events[number as usize % 4], Some(world.owner), &[server], 1000 - number));
        }
        store.record_activity(entry("server:power.start", None, &[Subject::Server(ServerId::new(2))], 0));
        let list = async |event: &[&str], order, number, size| {
            let list = store.activity(server, &query(event, order, number, size)).await.unwrap();
            let seconds = list.items.iter().map(|item| item.properties["z"].as_u64().unwrap());
            (list.total, seconds.collect::<Vec<_>>())
        };
        assert_eq!(list(&[], Recorded, 1, 4).await, (30, vec![1000, 998, 997, 996]));
        assert_eq!(list(&[], OldestFirst, 1, 3).await, (30, vec![961, 962, 964]));
        assert_eq!(list(&[], NewestFirst, 10, 3).await, (30, vec![964, 962, 961]));
        assert_eq!(list(&["POWER"], Recorded, 2, 4).await, (10, vec![984, 980, 976, 972]));
        assert_eq!(list(&["power.start", "auth"], NewestFirst, 1, 3).await, (20, vec![1000, 997, 996]));
        assert_eq!(list(&["upload"], Recorded, 1, 3).await, (0, vec![]));
        assert_eq!(list(&["%"], Recorded, 1, 3).await, (0, vec![]));
        assert_eq!(list(&[], Recorded, 99, 3).await, (30, vec![]));

        let page = store.activity(server, &query(&[], Recorded, 1, 1)).await.unwrap();
        let first = &page.items[0];
        assert_eq!(first.actor.as_ref().unwrap().id, world.owner);
        assert_eq!(first.properties.keys().collect::<Vec<_>>(), ["z", "a"]);
        assert_eq!((first.event.as_str(), first.at), ("server:power.start", TEST_START.plus(Duration::from_secs(1000))));
    }

    async fn what_administrators_did_from_outside_can_be_left_out(store: TestStore) {
        let world = World::create(&store).await;
        let id = world.add_server(&store, world.owner, "watched").await;
        let mut tx = store.begin().await.unwrap();
        let mut admins = Vec::new();
        for name in ["outsider", "member"] {
            admins.push(tx.create_user(&new_user(name, true)).await.unwrap());
        }
        tx.create_subuser(id, admins[1], &[]).await.unwrap();
        tx.commit().await.unwrap();
        let server = Subject::Server(id);
        let actors = [Some(world.owner), Some(admins[0]), Some(admins[1]), None];
        for number in 0..40 {
            let event = ["server:power.start", "server:power.stop"][number as usize / 4 % 2];
            store.record_activity(entry(event, actors[number as usize % 4], &[server], number));
        }
        let list = async |event: &[&str], hide_admins, number| {
            let query = ActivityQuery { hide_admins, ..query(event, NewestFirst, number, 4) };
            let list = store.activity(server, &query).await.unwrap();
            let seconds = list.items.iter().map(|item| item.properties["z"].as_u64().unwrap());
            (list.total, seconds.collect::<Vec<_>>())
        };
        assert_eq!(list(&[], false, 1).await, (40, vec![39, 38, 37, 36]));
        assert_eq!(list(&[], true, 1).await, (30, vec![39, 38, 36, 35]));
        assert_eq!(list(&[], true, 2).await, (30, vec![34, 32, 31, 30]));
        assert_eq!(list(&["start"], true, 1).await, (15, vec![35, 34, 32, 27]));
        assert_eq!(list(&["start"], true, 9).await, (15, vec![]));
    }

    async fn an_entry_is_found_under_each_listed_subject(store: TestStore) {
        let world = World::create(&store).await;
        let subjects = [Subject::User(world.owner), Subject::User(world.owner), Subject::Server(ServerId::new(1))];
        store.record_activity(entry("server:subuser.create", Some(UserId::new(999)), &subjects, 0));
        for subject in &subjects {
            let list = store.activity(*subject, &query(&[], Recorded, 1, 5)).await.unwrap();
            assert_eq!((list.total, list.items.len()), (1, 1), "{subject:?}");
            // Its actor is gone.
            assert!(list.items[0].actor.is_none());
        }
        let first = query(&[], Recorded, 1, 5);
        assert_eq!(store.activity(Subject::User(world.friend), &first).await.unwrap().total, 0);
    }

    async fn old_entries_are_cleared_away_and_counted_down(store: TestStore) {
        World::create(&store).await;
        let server = Subject::Server(ServerId::new(1));
        for number in 0..1200 {
            store.record_activity(entry("server:power.start", None, &[server], number));
        }
        store.flush().await.unwrap();
        let before = TEST_START.plus(Duration::from_secs(1100));
        assert_eq!(store.prune_activity(before).await.unwrap(), 1100);
        let list = store.activity(server, &query(&["start"], Recorded, 1, 1)).await.unwrap();
        assert_eq!((list.total, list.items[0].at), (100, before));
    }
}

#[tokio::test]
async fn entries_reach_the_file_by_themselves() {
    let store = TestStore::sqlite().await.unwrap();
    let server = Subject::Server(ServerId::new(1));
    store.record_activity(entry("server:power.start", None, &[server], 0));
    let other = store.second().await.unwrap();
    let first = query(&[], Recorded, 1, 1);
    while other.activity(server, &first).await.unwrap().total == 0 {
        tokio::task::yield_now().await;
    }
}
