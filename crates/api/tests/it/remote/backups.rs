//! `/api/remote/backups`.

use hatchery_store::{Backup, NewBackup};
use hatchery_testkit::TestPanel;
use hatchery_vocab::ServerStatus;
use serde_json::{Value, json};

use super::{AsNode as _, add_node, set_status, status};
use crate::panel;

async fn add(panel: &TestPanel, name: &str, disk: &str) -> Backup {
    let mut tx = panel.store.begin().await.unwrap();
    let backup = tx
        .create_backup(&NewBackup {
            server_id: panel.world.server.id,
            name: name.to_owned(),
            ignored_files: Vec::new(),
            disk: disk.to_owned(),
            is_locked: true,
        })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    backup
}

async fn found(panel: &TestPanel, backup: &Backup) -> Backup {
    let found = panel.store.backup(backup.server_id, backup.uuid).await;
    found.unwrap().unwrap()
}

async fn report(panel: &TestPanel, path: &str, body: Value) -> String {
    let call = panel.call("POST", &format!("/api/remote/backups/{path}"));
    call.node().json(&body).send().await.errors()
}

/// Event, name and subjects of what was recorded, oldest first.
async fn recorded(panel: &TestPanel) -> Vec<String> {
    let path = panel.world.server.path("/activity");
    let log = panel.call_as(&panel.world.owner, "GET", &path).send().await;
    let log = log.json();
    let entries = log["data"].as_array().unwrap().iter();
    entries
        .map(|entry| {
            let entry = &entry["attributes"];
            format!(
                "{} {}",
                entry["event"].as_str().unwrap(),
                entry["properties"]["name"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn how_a_backup_ended() {
    let panel = panel().await;
    let (good, bad) = (
        add(&panel, "good", "wings").await,
        add(&panel, "bad", "wings").await,
    );
    let success = json!({"successful": true, "checksum": "abc123", "checksum_type": "sha1", "size": 4096, "parts": null});
    assert_eq!(
        report(&panel, &good.uuid.to_string(), success.clone()).await,
        "204"
    );
    let made = found(&panel, &good).await;
    assert_eq!(
        (
            made.is_successful,
            made.is_locked,
            made.checksum.as_deref(),
            made.bytes
        ),
        (true, true, Some("sha1:abc123"), 4096)
    );
    assert_eq!(made.completed_at, Some(panel.cx.now()));
    insta::assert_snapshot!(report(&panel, &good.uuid.to_string(), success.clone()).await, @"400 BadRequestHttpException: Cannot update the status of a backup that is already marked as completed.");

    // What a node sends on a failure.
    let failure =
        json!({"checksum": "", "checksum_type": "", "size": 0, "successful": false, "parts": null});
    assert_eq!(report(&panel, &bad.uuid.to_string(), failure).await, "204");
    let failed = found(&panel, &bad).await;
    assert_eq!(
        (
            failed.is_successful,
            failed.is_locked,
            failed.checksum,
            failed.bytes
        ),
        (false, false, None, 0)
    );
    assert!(failed.completed_at.is_some());
    // It comes right after all.
    assert_eq!(report(&panel, &bad.uuid.to_string(), success).await, "204");
    assert!(found(&panel, &bad).await.is_successful);
    assert_eq!(
        recorded(&panel).await,
        [
            "server:backup.complete good",
            "server:backup.fail bad",
            "server:backup.complete bad"
        ]
    );
}

#[tokio::test]
async fn a_report_s_fields_are_checked() {
    let panel = panel().await;
    let backup = add(&panel, "x", "wings").await;
    let mut table = String::new();
    for body in [
        json!({}),
        json!({"successful": "x"}),
        json!({"successful": true, "checksum_type": "sha1", "size": 1}),
        json!({"successful": true, "checksum": "a", "checksum_type": "sha1", "size": "x"}),
        json!({"successful": true, "checksum": "a", "checksum_type": "sha1", "size": 1, "parts": "x"}),
        json!({"successful": true, "checksum": "a", "checksum_type": "sha1", "size": 1, "parts": [{"etag": "x"}]}),
    ] {
        let answer = report(&panel, &backup.uuid.to_string(), body.clone()).await;
        table = format!("{table}{body}\n{answer}\n");
    }
    insta::assert_snapshot!(table, @r#"
    {}
    422 ValidationException: The successful field is required. [successful required]
    {"successful":"x"}
    422 ValidationException: The successful field must be true or false. [successful boolean]
    422 ValidationException: The checksum field is required when successful is x. [checksum required_if]
    422 ValidationException: The checksum type field is required when successful is x. [checksum_type required_if]
    422 ValidationException: The size field is required when successful is x. [size required_if]
    {"successful":true,"checksum_type":"sha1","size":1}
    422 ValidationException: The checksum field is required when successful is true. [checksum required_if]
    {"successful":true,"checksum":"a","checksum_type":"sha1","size":"x"}
    422 ValidationException: The size must be a number. [size numeric]
    {"successful":true,"checksum":"a","checksum_type":"sha1","size":1,"parts":"x"}
    422 ValidationException: The parts must be an array. [parts array]
    {"successful":true,"checksum":"a","checksum_type":"sha1","size":1,"parts":[{"etag":"x"}]}
    422 ValidationException: The parts.0.part_number field is required. [parts.0.part_number required]
    "#);
    assert!(found(&panel, &backup).await.completed_at.is_none());
}

#[tokio::test]
async fn a_node_reports_on_its_own_servers_alone() {
    let panel = panel().await;
    add_node(&panel).await;
    let backup = add(&panel, "x", "wings").await;
    set_status(&panel, Some(ServerStatus::RestoringBackup)).await;
    let uuid = backup.uuid;
    for (method, path, body) in [
        ("GET", format!("{uuid}?size=1"), Value::Null),
        ("POST", uuid.to_string(), json!({"successful": false})),
        (
            "POST",
            format!("{uuid}/restore"),
            json!({"successful": true}),
        ),
    ] {
        let path = format!("/api/remote/backups/{path}");
        let answer = panel.call(method, &path).other_node().json(&body);
        let refused = answer.send().await.errors();
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused, @"403 HttpForbiddenException: You do not have permission to access that backup.");
        }
        let unknown = path.replace(&uuid.to_string(), "12345678-0000-4000-8000-000000000000");
        let answer = panel.call(method, &unknown).node().json(&body);
        let refused = answer.send().await.errors();
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused, @"404 NotFoundHttpException: The requested resource could not be found on the server.");
        }
        assert_eq!(panel.call(method, &path).send().await.status, 401);
    }
    assert!(found(&panel, &backup).await.completed_at.is_none());
    assert_eq!(status(&panel).await, Some(ServerStatus::RestoringBackup));
    set_status(&panel, None).await;
    assert_eq!(recorded(&panel).await, [] as [String; 0]);
}

#[tokio::test]
async fn how_a_restoration_ended() {
    let panel = panel().await;
    let backup = add(&panel, "x", "wings").await;
    let path = format!("{}/restore", backup.uuid);
    for (before, body, after) in [
        (
            Some(ServerStatus::RestoringBackup),
            json!({"successful": true}),
            None,
        ),
        (Some(ServerStatus::RestoringBackup), Value::Null, None),
        (
            Some(ServerStatus::Suspended),
            json!({"successful": true}),
            Some(ServerStatus::Suspended),
        ),
    ] {
        set_status(&panel, before).await;
        assert_eq!(report(&panel, &path, body).await, "204");
        assert_eq!(status(&panel).await, after);
    }
    set_status(&panel, None).await;
    assert_eq!(
        recorded(&panel).await,
        [
            "server:backup.restore-complete x",
            "server.backup.restore-failed x",
            "server:backup.restore-complete x",
        ]
    );
}

#[tokio::test]
async fn addresses_are_for_buckets() {
    let panel = panel().await;
    let backup = add(&panel, "x", "wings").await;
    let ask = async |query: &str| {
        let path = format!("/api/remote/backups/{}{query}", backup.uuid);
        panel.call("GET", &path).node().send().await.errors()
    };
    for query in ["", "?size=", "?size=0", "?size=x"] {
        let refused = ask(query).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused, @r#"400 BadRequestHttpException: A non-empty "size" query parameter must be provided."#);
        }
    }
    insta::assert_snapshot!(ask("?size=100").await, @"400 BadRequestHttpException: The configured backup adapter is not an S3 compatible adapter.");
    report(
        &panel,
        &backup.uuid.to_string(),
        json!({"successful": false}),
    )
    .await;
    insta::assert_snapshot!(ask("?size=100").await, @"409 ConflictHttpException: This backup is already in a completed state.");
}
