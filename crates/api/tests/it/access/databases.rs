//! `/servers/{server}/databases`. The host is one that nobody answers on: that it was asked at all
//! shows that the caller got through.

use hatchery_store::{NewDatabase, NewDatabaseHost, Secret};
use hatchery_testkit::{Person, TestPanel};
use hatchery_vocab::{DatabaseEngine, DatabaseId, Port};

use super::{Names, Prepared, Row};

const HOST_IS_AWAY: &str = "500 QueryException: An unexpected error was encountered while processing \
    this request, please try again.";

pub(super) const ROWS: &[Row] = &[
    Row::needs("listDatabases", "database.read"),
    Row::needs("createDatabase", "database.create")
        .json(r#"{"database": "economy", "remote": "%"}"#)
        .about(a_database)
        .answers(HOST_IS_AWAY),
    Row::needs("rotateDatabasePassword", "database.update")
        .about(a_database)
        .answers(HOST_IS_AWAY),
    Row::needs("deleteDatabase", "database.delete")
        .about(a_database)
        .answers(HOST_IS_AWAY),
];

fn a_database<'a>(panel: &'a TestPanel, _: &'a Person) -> Prepared<'a> {
    Box::pin(async {
        let id = match panel
            .store
            .databases_of(panel.world.server.id)
            .await
            .unwrap()
        {
            there if there.is_empty() => add_database(panel).await,
            there => there[0].id,
        };
        vec![("database", id.to_string())] as Names
    })
}

async fn add_database(panel: &TestPanel) -> DatabaseId {
    let mut tx = panel.store.begin().await.unwrap();
    let host = NewDatabaseHost {
        name: "away".to_owned(),
        engine: DatabaseEngine::Mysql,
        host: "127.0.0.1".to_owned(),
        port: Port::new(1).unwrap(),
        username: "hatchery".to_owned(),
        password: Secret::new("secret"),
        max_databases: None,
        node_id: None,
    };
    let host_id = tx.create_database_host(&host).await.unwrap();
    let database = NewDatabase {
        server_id: panel.world.server.id,
        host_id,
        name: "s1_survival".to_owned(),
        username: "u1_abcdefghij".to_owned(),
        remote: "%".to_owned(),
        password: Secret::new("hidden"),
        max_connections: None,
    };
    let database = tx.reserve_database(&database, None).await.unwrap();
    tx.set_database_ready(database.id).await.unwrap();
    tx.commit().await.unwrap();
    database.id
}
