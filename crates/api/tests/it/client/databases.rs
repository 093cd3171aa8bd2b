//! `/servers/{server}/databases` against real database servers.

use hatchery_app::databases;
use hatchery_store::{NewDatabase, Secret};
use hatchery_testkit::{Answer, ServerSketch, TestPanel};
use hatchery_vocab::DatabaseEngine;
use serde_json::{Value, json};

use super::{ask, recorded, send};
use crate::database_server::{Cut, DatabaseServer, SignIn, Wire, panel, unique};

const HOST_FAILED: &str = "500 QueryException: An unexpected error was encountered while processing \
    this request, please try again.";
const TOO_MANY: &str = "400 TooManyDatabasesException: Operation aborted: creating a new database \
    would put this server over the defined limit.";
const DUPLICATE: &str =
    "400 DuplicateDatabaseNameException: A database with that name already exists for this server.";

async fn create(panel: &TestPanel, name: &str) -> Answer {
    let body = json!({"database": name, "remote": "%"});
    send(panel, "POST", "/databases", body).await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A resource with its password as somebody signs in with it.
fn sign_in(resource: &Value) -> SignIn<'_> {
    let attributes = &resource["attributes"];
    SignIn {
        database: text(&attributes["name"]),
        username: text(&attributes["username"]),
        password: text(&attributes["relationships"]["password"]["attributes"]["password"]),
    }
}

#[tokio::test]
async fn a_database_lives_and_dies_on_a_real_server() {
    for server in DatabaseServer::all() {
        let panel = panel().await;
        server.lend(&panel, server.port).await;
        let name = format!("héllo-{}", unique());
        let created = create(&panel, &name).await.json();
        let attributes = &created["attributes"];
        assert_eq!(created["object"], "server_database");
        let shape = json!({
            "id": attributes["id"],
            "host": {"address": "127.0.0.1", "port": server.port},
            "name": format!("s1_{name}"),
            "username": attributes["username"],
            "connections_from": "%",
            "max_connections": null,
            "relationships": {"password": {"object": "database_password", "attributes": {
                "password": attributes["relationships"]["password"]["attributes"]["password"],
            }}},
        });
        // As text, since the order counts.
        assert_eq!(attributes.to_string(), shape.to_string());
        assert_eq!(text(&attributes["id"]).len(), 8);

        let used = [
            "CREATE TABLE scores (points INT)",
            "INSERT INTO scores VALUES (42)",
            "SELECT 'kept' FROM scores WHERE points = 42",
        ];
        let first = sign_in(&created);
        assert_eq!(server.run(first, &used).await.unwrap(), ["kept"]);

        let listed = send(&panel, "GET", "/databases", Value::Null).await.json();
        assert_eq!(listed["data"][0]["attributes"]["max_connections"], 0);
        assert!(
            listed["data"][0]["attributes"]
                .get("relationships")
                .is_none()
        );
        let listed = send(&panel, "GET", "/databases?include=password", Value::Null)
            .await
            .json();
        assert_eq!(sign_in(&listed["data"][0]).password, first.password);

        let path = format!("/databases/{}", text(&attributes["id"]));
        let rotate = format!("{path}/rotate-password");
        let rotated = send(&panel, "POST", &rotate, Value::Null).await.json();
        let second = sign_in(&rotated);
        assert_ne!(second.password, first.password);
        assert_eq!(rotated["attributes"]["max_connections"], 0);
        server.run(first, &["SELECT 'in'"]).await.unwrap_err();
        assert_eq!(server.run(second, &used[2..]).await.unwrap(), ["kept"]);

        assert_eq!(
            create(&panel, &name.to_uppercase()).await.errors(),
            DUPLICATE
        );
        assert_eq!(
            send(&panel, "DELETE", &path, Value::Null).await.errors(),
            "204"
        );
        server.run(second, &["SELECT 'in'"]).await.unwrap_err();
        let names = [first.database.to_owned()];
        let accounts = [first.username.to_owned()];
        assert_eq!(server.existing(&names, &accounts).await, [""; 0]);
        let gone =
            "404 NotFoundHttpException: The requested resource could not be found on the server.";
        assert_eq!(
            send(&panel, "DELETE", &path, Value::Null).await.errors(),
            gone
        );
        let details = json!({"name": first.database});
        assert_eq!(
            recorded(&panel).await,
            [
                json!(["server:database.create", details]),
                json!(["server:database.rotate-password", details]),
                json!(["server:database.delete", details]),
            ]
        );
    }
}

/// In a grant of MySQL `_` stands for any character: `s1_1_a` must not open `s111_a`.
#[tokio::test]
async fn a_grant_opens_no_other_servers_database() {
    let Some(server) = DatabaseServer::mariadb() else {
        return;
    };
    let panel = panel().await;
    server.lend(&panel, server.port).await;
    let name = format!("1_{}", unique());
    let created = create(&panel, &name).await.json();
    let neighbour = format!("s1x{name}");
    let make = format!("CREATE DATABASE `{neighbour}`");
    server.administer(&[&make]).await;
    let intruder = SignIn {
        database: &neighbour,
        ..sign_in(&created)
    };
    let refused = server.run(intruder, &["SELECT 1"]).await.unwrap_err();
    assert!(refused.contains("1044"), "{refused}");
    server
        .administer(&[&format!("DROP DATABASE `{neighbour}`")])
        .await;
    databases::drop_all_of(&panel.cx, panel.world.server.id)
        .await
        .unwrap();
}

/// Whatever is inside a database of PostgreSQL, other accounts do not even get in.
#[tokio::test]
async fn accounts_do_not_get_into_each_others_databases() {
    for server in DatabaseServer::all() {
        let panel = panel().await;
        server.lend(&panel, server.port).await;
        let one = create(&panel, &format!("one{}", unique())).await.json();
        let other = create(&panel, &format!("other{}", unique())).await.json();
        let intruder = SignIn {
            database: sign_in(&other).database,
            ..sign_in(&one)
        };
        server.run(intruder, &["SELECT 1"]).await.unwrap_err();
        databases::drop_all_of(&panel.cx, panel.world.server.id)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_breaks_anywhere_leaves_nothing_behind() {
    for server in DatabaseServer::all() {
        let panel = panel().await;
        let wire = Wire::to(server.port).await;
        server.lend(&panel, wire.port).await;
        let name = format!("cut{}", unique());
        let database = [format!("s1_{name}")];
        let mut failures = 0;
        for message in 1.. {
            let mut reached = false;
            for cut in [Cut::Before(message), Cut::After(message)] {
                wire.set(cut);
                let answer = create(&panel, &name).await;
                if answer.status == 200 {
                    let dropped = databases::drop_all_of(&panel.cx, panel.world.server.id);
                    wire.set(Cut::Never);
                    if dropped.await.is_err() {
                        databases::drop_all_of(&panel.cx, panel.world.server.id)
                            .await
                            .unwrap();
                    }
                } else {
                    assert!(wire.is_cut(), "{cut:?}: {}", answer.errors());
                    assert_eq!(answer.errors(), HOST_FAILED, "{cut:?}");
                    (reached, failures) = (true, failures + 1);
                    let shown = send(&panel, "GET", "/databases", Value::Null).await;
                    assert_eq!(shown.json()["data"], json!([]), "{cut:?}");
                    wire.set(Cut::Never);
                    databases::clear_leftovers(&panel.cx).await.unwrap();
                }
                assert_eq!(
                    server.existing(&database, &wire.accounts()).await,
                    [""; 0],
                    "{cut:?}"
                );
                assert!(panel.store.database_leftovers(9).await.unwrap().is_empty());
            }
            if !reached {
                break;
            }
        }
        // Sign-in, mode, lock, look, account, grant and database at least.
        assert!(failures > 10, "{failures}");
        assert!(!recorded(&panel).await.is_empty());
    }
}

/// Who tries again does not wait for the task that clears away.
#[tokio::test]
async fn a_leftover_is_cleared_away_before_the_next_database() {
    for server in DatabaseServer::all() {
        let panel = panel().await;
        let wire = Wire::to(server.port).await;
        let host = server.lend(&panel, wire.port).await;
        let name = format!("again{}", unique());
        let left = NewDatabase {
            server_id: panel.world.server.id,
            host_id: host.id,
            name: format!("s1_{name}"),
            username: format!("u1_left{}", unique() % 1_000_000),
            remote: "%".to_owned(),
            password: Secret::new("x"),
            max_connections: None,
        };
        let mut tx = panel.store.begin().await.unwrap();
        let id = tx.reserve_database(&left, None).await.unwrap().id;
        tx.set_database_leftover(id).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(create(&panel, &name).await.status, 200);
        assert!(panel.store.database_leftovers(9).await.unwrap().is_empty());

        // A panel that was killed in the middle leaves a row that nobody works on any more.
        let mut tx = panel.store.begin().await.unwrap();
        let abandoned = NewDatabase {
            name: format!("s1_killed{}", unique()),
            ..left
        };
        tx.reserve_database(&abandoned, None).await.unwrap();
        tx.commit().await.unwrap();
        assert!(panel.store.database_leftovers(9).await.unwrap().is_empty());
        panel.clock.advance(std::time::Duration::from_mins(11));
        databases::clear_leftovers(&panel.cx).await.unwrap();
        assert_eq!(create(&panel, &format!("x{}", unique())).await.status, 200);
        databases::drop_all_of(&panel.cx, panel.world.server.id)
            .await
            .unwrap();
        let mut tx = panel.store.begin().await.unwrap();
        assert!(tx.delete_server(panel.world.server.id).await.unwrap());
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn what_another_panel_has_on_the_host_is_left_alone() {
    for server in DatabaseServer::all() {
        let panel = panel().await;
        server.lend(&panel, server.port).await;
        let name = format!("theirs{}", unique());
        let quoted = match server.engine {
            DatabaseEngine::Mysql => format!("`s1_{name}`"),
            DatabaseEngine::Postgres => format!("\"s1_{name}\""),
        };
        server
            .administer(&[&format!("CREATE DATABASE {quoted}")])
            .await;
        assert_eq!(create(&panel, &name).await.errors(), DUPLICATE);
        let database = [format!("s1_{name}")];
        assert_eq!(server.existing(&database, &[]).await, database);
        server
            .administer(&[&format!("DROP DATABASE {quoted}")])
            .await;
    }
}

#[tokio::test]
async fn an_account_without_a_privilege_leaves_nothing_behind() {
    let Some(server) = DatabaseServer::mariadb() else {
        return;
    };
    let weak = format!("weak{}", unique());
    let make = format!("CREATE USER '{weak}'@'%' IDENTIFIED BY 'x'");
    let grant = format!("GRANT CREATE USER ON *.* TO '{weak}'@'%'");
    server.administer(&[&make, &grant]).await;
    let panel = panel().await;
    let wire = Wire::to(server.port).await;
    let lent = DatabaseServer {
        username: weak.clone(),
        password: "x".to_owned(),
        ..server.clone()
    };
    let host = lent.lend(&panel, wire.port).await;
    let name = format!("weak{}", unique());
    assert_eq!(create(&panel, &name).await.errors(), HOST_FAILED);
    let accounts = wire.accounts();
    assert_eq!(accounts.len(), 1);
    assert_eq!(
        server.existing(&[format!("s1_{name}")], &accounts).await,
        [""; 0]
    );
    let check = databases::check_host(&panel.cx, &host).await.unwrap_err();
    assert!(check.to_string().contains("privilege"), "{check}");
    server
        .administer(&[&format!("DROP USER '{weak}'@'%'")])
        .await;
}

#[tokio::test]
async fn a_host_that_is_away_changes_nothing() {
    for server in DatabaseServer::all() {
        let panel = panel().await;
        let wire = Wire::to(server.port).await;
        server.lend(&panel, wire.port).await;
        let created = create(&panel, &format!("away{}", unique())).await.json();
        let path = format!("/databases/{}", text(&created["attributes"]["id"]));
        wire.set(Cut::Before(0));
        let rotate = format!("{path}/rotate-password");
        assert_eq!(
            send(&panel, "POST", &rotate, Value::Null).await.errors(),
            HOST_FAILED
        );
        assert_eq!(
            send(&panel, "DELETE", &path, Value::Null).await.errors(),
            HOST_FAILED
        );
        assert_eq!(create(&panel, "other").await.errors(), HOST_FAILED);
        assert_eq!(
            server
                .run(sign_in(&created), &["SELECT 'in'"])
                .await
                .unwrap(),
            ["in"]
        );
        wire.set(Cut::Never);
        assert_eq!(
            send(&panel, "DELETE", &path, Value::Null).await.errors(),
            "204"
        );
        assert_eq!(recorded(&panel).await.len(), 2);
    }
}

#[tokio::test]
async fn fields_and_ids_in_the_words_of_the_specification() {
    let panel = panel().await;
    let cases = [
        json!({}),
        json!({"database": "abcd", "remote": ""}),
        json!({"database": "ab", "remote": "%"}),
        json!({"database": "a".repeat(49), "remote": "%"}),
        json!({"database": "a b!", "remote": "%"}),
        json!({"database": "𝒜bc", "remote": "%"}),
        json!({"database": ["abcd"], "remote": ["%"]}),
        json!({"database": "abcd", "remote": "no spaces allowed"}),
        json!({"database": "abcd", "remote": "%".repeat(256)}),
        json!({"database": 12345, "remote": "db.example.com"}),
    ];
    let lines = super::answers(&panel, "POST", "/databases", &cases).await;
    insta::assert_snapshot!(lines, @r#"
    {}
      422 ValidationException: The database field is required. [database required]
      422 ValidationException: The remote field is required. [remote required]
    {"database":"abcd","remote":""}
      422 ValidationException: The remote field is required. [remote required]
    {"database":"ab","remote":"%"}
      422 ValidationException: The database must be at least 3 characters. [database min]
    {"database":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…
      422 ValidationException: The database may not be greater than 48 characters. [database max]
    {"database":"a b!","remote":"%"}
      422 ValidationException: The database may only contain letters, numbers, and dashes. [database alpha_dash]
    {"database":"𝒜bc","remote":"%"}
      422 ValidationException: The database may only contain letters, numbers, and dashes. [database alpha_dash]
    {"database":["abcd"],"remote":["%"]}
      422 ValidationException: The database may only contain letters, numbers, and dashes. [database alpha_dash]
      422 ValidationException: The database must be at least 3 characters. [database min]
      422 ValidationException: The remote must be a string. [remote string]
      422 ValidationException: The remote format is invalid. [remote regex]
    {"database":"abcd","remote":"no spaces allowed"}
      422 ValidationException: The remote format is invalid. [remote regex]
    {"database":"abcd","remote":"%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%…
      422 ValidationException: The remote may not be greater than 255 characters. [remote max]
    {"database":12345,"remote":"db.example.com"}
      400 NoSuitableDatabaseHostException: No database host was found that meets the requirements for this server.
    "#);

    let other = ServerSketch {
        name: "other",
        owner: panel.world.stranger.id,
        status: None,
        allocations: 1,
    };
    let other = panel.add_server(&other).await.unwrap();
    let server = DatabaseServer {
        engine: DatabaseEngine::Mysql,
        port: 1,
        username: "x".to_owned(),
        password: "x".to_owned(),
    };
    let host = server.lend(&panel, 1).await;
    let mut tx = panel.store.begin().await.unwrap();
    let theirs = NewDatabase {
        server_id: other.id,
        host_id: host.id,
        name: "s2_theirs".to_owned(),
        username: "u2_theirs".to_owned(),
        remote: "%".to_owned(),
        password: Secret::new("hidden"),
        max_connections: Some(5),
    };
    let theirs = tx.reserve_database(&theirs, None).await.unwrap().id;
    tx.set_database_ready(theirs).await.unwrap();
    tx.set_setting(databases::HASHIDS_SALT, "peerSaltForGoldens01")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(theirs.get(), 1);
    let nowhere =
        "404 NotFoundHttpException: The requested resource could not be found on the server.";
    let elsewhere =
        "404 NotFoundHttpException: The requested resource was not found for this server.";
    for (id, expected) in [
        ("1", elsewhere),
        ("1EpZyz5k", elsewhere),
        ("2", nowhere),
        ("zzzzzzzz", nowhere),
        ("99999999999999999999", nowhere),
    ] {
        let path = format!("/databases/{id}");
        assert_eq!(
            send(&panel, "DELETE", &path, Value::Null).await.errors(),
            expected,
            "{id}"
        );
    }
    let path = other.path("/databases");
    let listed = panel
        .call_as(&panel.world.stranger, "GET", &path)
        .send()
        .await
        .json();
    assert_eq!(listed["data"][0]["attributes"]["max_connections"], 5);
    assert_eq!(listed["data"][0]["attributes"]["id"], "1EpZyz5k");
}

#[tokio::test]
async fn the_operator_decides_who_gets_a_host() {
    let no_host = "400 NoSuitableDatabaseHostException: No database host was found that meets the \
        requirements for this server.";
    let panel = crate::panel_with(|_| ()).await;
    assert_eq!(create(&panel, "abcd").await.errors(), no_host);
    let server = DatabaseServer {
        engine: DatabaseEngine::Mysql,
        port: 1,
        username: "x".to_owned(),
        password: "x".to_owned(),
    };
    let panel = crate::panel_with(|settings| settings.client_databases.any_host = false).await;
    server.lend(&panel, 1).await;
    assert_eq!(create(&panel, "abcd").await.errors(), no_host);
    let panel = crate::panel_with(|settings| settings.client_databases.enabled = false).await;
    server.lend(&panel, 1).await;
    assert_eq!(
        create(&panel, "abcd").await.errors(),
        "400 DatabaseClientFeatureNotEnabledException: Creating databases is not enabled for this instance."
    );
}

#[tokio::test]
async fn a_reader_without_the_permission_sees_no_password() {
    for server in DatabaseServer::all() {
        let panel = panel().await;
        server.lend(&panel, server.port).await;
        let permissions = ["database.read", "database.create", "database.update"];
        let mut tx = panel.store.begin().await.unwrap();
        let permissions = permissions.map(str::to_owned);
        tx.set_subuser_permissions(panel.world.server.id, panel.world.helper.id, &permissions)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let helper = &panel.world.helper;
        let hidden = json!({"object": "null_resource", "attributes": null});
        let body = json!({"database": format!("secret{}", unique()), "remote": "%"});
        let created = ask(&panel, helper, "POST", "/databases", &body)
            .await
            .json();
        assert_eq!(created["attributes"]["relationships"]["password"], hidden);
        let id = text(&created["attributes"]["id"]).to_owned();
        let list = ask(
            &panel,
            helper,
            "GET",
            "/databases?include=password",
            &Value::Null,
        )
        .await;
        assert_eq!(
            list.json()["data"][0]["attributes"]["relationships"]["password"],
            hidden
        );
        let rotate = format!("/databases/{id}/rotate-password");
        let rotated = ask(&panel, helper, "POST", &rotate, &Value::Null)
            .await
            .json();
        assert_eq!(rotated["attributes"]["relationships"]["password"], hidden);
        databases::drop_all_of(&panel.cx, panel.world.server.id)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_server_gets_as_many_as_its_limit_says() {
    for server in DatabaseServer::all() {
        let panel = panel().await;
        server.lend(&panel, server.port).await;
        for _ in 0..2 {
            assert_eq!(create(&panel, &format!("n{}", unique())).await.status, 200);
        }
        assert_eq!(create(&panel, "third").await.errors(), TOO_MANY);
        databases::drop_all_of(&panel.cx, panel.world.server.id)
            .await
            .unwrap();
    }
}
