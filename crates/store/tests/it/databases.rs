//! Database hosts and the databases on them.

use std::time::Duration;

use hatchery_store::testing::TestStore;
use hatchery_store::{NewDatabase, NewDatabaseHost, Secret, StoreError, both_dbs};
use hatchery_vocab::{DatabaseEngine, DatabaseHostId, ServerId};

use crate::world::{World, port};

async fn add_host(store: &TestStore) -> DatabaseHostId {
    let host = NewDatabaseHost {
        name: "main".to_owned(),
        engine: DatabaseEngine::Postgres,
        host: "db.example.com".to_owned(),
        port: port(5432),
        username: "hatchery".to_owned(),
        password: Secret::new("secret"),
        max_databases: Some(7),
        node_id: None,
    };
    let mut tx = store.begin().await.unwrap();
    let id = tx.create_database_host(&host).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn new(server_id: ServerId, host_id: DatabaseHostId, name: &str) -> NewDatabase {
    NewDatabase {
        server_id,
        host_id,
        name: name.to_owned(),
        username: format!("u_{name}"),
        remote: "%".to_owned(),
        password: Secret::new("hidden"),
        max_connections: Some(3),
    }
}

both_dbs! {
    async fn a_database_is_shown_while_it_is_there(store: TestStore) {
        let world = World::create(&store).await;
        let server = world.add_server(&store, world.owner, "one").await;
        let host = add_host(&store).await;
        let shown = store.database_hosts().await.unwrap();
        assert_eq!(shown[0].engine, DatabaseEngine::Postgres);
        assert_eq!(shown[0].max_databases, Some(7));
        assert_eq!(format!("{:?}", shown[0].password), "…");

        let mut tx = store.begin().await.unwrap();
        let made = tx.reserve_database(&new(server, host, "a"), Some(1)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(store.databases_of(server).await.unwrap().is_empty(), "not yet");
        let mut tx = store.begin().await.unwrap();
        assert!(tx.set_database_ready(made.id).await.unwrap());
        assert!(tx.set_database_password(made.id, &Secret::new("new")).await.unwrap());
        tx.commit().await.unwrap();
        let shown = store.database(made.id).await.unwrap().unwrap();
        assert_eq!((shown.host.as_str(), shown.port), ("db.example.com", port(5432)));
        assert_eq!((shown.password.expose(), shown.max_connections), ("new", Some(3)));

        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_database_host(host).await.unwrap_err().is_reference());
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_server(server).await.unwrap_err().is_reference());
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_database(made.id).await.unwrap());
        assert!(tx.delete_server(server).await.unwrap());
        assert!(tx.delete_database_host(host).await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn limits_and_names_count_what_is_made_and_not_what_is_left(store: TestStore) {
        let world = World::create(&store).await;
        let server = world.add_server(&store, world.owner, "one").await;
        let (host, second) = (add_host(&store).await, add_host(&store).await);
        let mut tx = store.begin().await.unwrap();
        let made = tx.reserve_database(&new(server, host, "Ärger"), Some(1)).await.unwrap();
        tx.commit().await.unwrap();
        let refused = async |name: &str, limit| {
            let mut tx = store.begin().await.unwrap();
            tx.reserve_database(&new(server, second, name), limit).await.unwrap_err()
        };
        let error = refused("other", Some(1)).await;
        assert!(matches!(error, StoreError::LimitReached { limit: 1 }), "{error}");
        let error = refused("äRGER", None).await;
        assert_eq!(error.unique(), Some("databases_host_name"));

        let mut tx = store.begin().await.unwrap();
        tx.set_database_leftover(made.id).await.unwrap();
        assert!(!tx.set_database_ready(made.id).await.unwrap(), "given up is given up");
        tx.reserve_database(&new(server, second, "ärger"), Some(1)).await.unwrap();
        tx.commit().await.unwrap();
        let left = store.database_leftovers(10).await.unwrap();
        assert_eq!(left.iter().map(|left| left.id).collect::<Vec<_>>(), [made.id]);
        assert_eq!(store.database_leftovers_of(server).await.unwrap().len(), 1);
        store.clock.advance(Duration::from_mins(11));
        assert_eq!(store.database_leftovers(10).await.unwrap().len(), 2, "nobody works on it any more");
    }

    async fn a_setting_is_made_once(store: TestStore) {
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.setting_or("salt", "first").await.unwrap(), "first");
        assert_eq!(tx.setting_or("salt", "second").await.unwrap(), "first");
        tx.commit().await.unwrap();
        assert_eq!(store.setting("salt").await.unwrap().as_deref(), Some("first"));
    }
}
