//! `/api/client/servers/{server}/backups`.

use std::time::Duration;

use hatchery_store::{Backup, BackupOutcome, NewBackup};
use hatchery_testkit::{ServerSketch, TestPanel};
use hatchery_vocab::ServerStatus;
use serde_json::{Value, json};

use super::{answers, ask, asked, recorded, send};
use crate::{panel, panel_with};

/// What becomes of a backup that a test makes.
enum Fate {
    Made,
    Failed,
    GoingOn,
}

async fn add(panel: &TestPanel, name: &str, disk: &str, fate: Fate) -> Backup {
    let mut tx = panel.store.begin().await.unwrap();
    let backup = tx
        .create_backup(&NewBackup {
            server_id: panel.world.server.id,
            name: name.to_owned(),
            ignored_files: vec!["*.log".to_owned()],
            disk: disk.to_owned(),
            is_locked: false,
        })
        .await
        .unwrap();
    let outcome = match fate {
        Fate::Made => Some(BackupOutcome::Made {
            checksum: "sha1:da39a3ee".to_owned(),
            bytes: 123_456,
        }),
        Fate::Failed => Some(BackupOutcome::Failed),
        Fate::GoingOn => None,
    };
    if let Some(outcome) = outcome {
        assert!(tx.finish_backup(backup.id, &outcome).await.unwrap());
    }
    tx.commit().await.unwrap();
    backup
}

/// A panel on which backups are not throttled.
async fn patient_panel() -> TestPanel {
    panel_with(|settings| settings.backups.throttle = None).await
}

/// The names of the server's backups.
async fn names(panel: &TestPanel) -> Vec<String> {
    let list = send(panel, "GET", "/backups", Value::Null).await.json();
    let items = list["data"].as_array().unwrap().iter();
    items
        .map(|item| item["attributes"]["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_page_of_backups() {
    let panel = panel().await;
    insta::assert_json_snapshot!(send(&panel, "GET", "/backups", Value::Null).await.json(), @r#"
    {
      "object": "list",
      "data": [],
      "meta": {
        "backup_count": 0,
        "pagination": {
          "total": 0,
          "count": 0,
          "per_page": 20,
          "current_page": 1,
          "total_pages": 1,
          "links": {}
        }
      }
    }
    "#);
    let first = add(&panel, "First", "wings", Fate::Made).await;
    add(&panel, "Failed", "wings", Fate::Failed).await;
    let running = add(&panel, "Running", "wings", Fate::GoingOn).await;
    let deleted = add(&panel, "Deleted", "wings", Fate::Made).await;
    let mut tx = panel.store.begin().await.unwrap();
    assert!(tx.delete_backup(deleted.id).await.unwrap());
    tx.commit().await.unwrap();

    assert_eq!(names(&panel).await, ["First", "Failed", "Running"]);
    let page = send(&panel, "GET", "/backups?per_page=2&page=2", Value::Null).await;
    assert_eq!(
        page.json(),
        json!({
            "object": "list",
            "data": [{"object": "backup", "attributes": {
                "uuid": running.uuid.to_string(), "is_successful": false, "is_locked": false,
                "name": "Running", "ignored_files": ["*.log"], "checksum": null, "bytes": 0,
                "created_at": "2026-01-01T00:00:00+00:00", "completed_at": null,
            }}],
            "meta": {"backup_count": 2, "pagination": {
                "total": 3, "count": 1, "per_page": 2, "current_page": 2, "total_pages": 2,
                "links": {"previous": format!("http://panel.test{}?page=1", panel.world.server.path("/backups"))},
            }},
        })
    );
    for (query, per_page, count) in [
        ("?per_page=0", 15, 3),
        ("?per_page=500", 50, 3),
        ("?per_page=abc", 50, 3),
        ("?per_page=-1", 1, 1),
        ("?page=99", 20, 0),
        ("?page=x", 20, 3),
    ] {
        let rest = format!("/backups{query}");
        let page = send(&panel, "GET", &rest, Value::Null).await.json();
        let shown = &page["meta"]["pagination"];
        assert_eq!(
            (shown["per_page"].as_u64(), shown["count"].as_u64()),
            (Some(per_page), Some(count)),
            "{query}"
        );
    }
    let view = send(
        &panel,
        "GET",
        &format!("/backups/{}", first.uuid),
        Value::Null,
    )
    .await;
    assert_eq!(
        view.json(),
        json!({"object": "backup", "attributes": {
            "uuid": first.uuid.to_string(), "is_successful": true, "is_locked": false,
            "name": "First", "ignored_files": ["*.log"], "checksum": "sha1:da39a3ee", "bytes": 123_456,
            "created_at": "2026-01-01T00:00:00+00:00", "completed_at": "2026-01-01T00:00:00+00:00",
        }})
    );
    assert_eq!(asked(&panel), [] as [String; 0]);
    assert_eq!(recorded(&panel).await, [] as [Value; 0]);
}

#[tokio::test]
async fn what_is_not_a_backup_of_this_server_is_not_found() {
    let panel = panel().await;
    let other = panel
        .add_server(&ServerSketch {
            name: "Other",
            owner: panel.world.owner.id,
            status: None,
            allocations: 1,
        })
        .await
        .unwrap();
    let backup = add(&panel, "Main", "wings", Fate::Made).await;
    let deleted = add(&panel, "Deleted", "wings", Fate::Made).await;
    let mut tx = panel.store.begin().await.unwrap();
    tx.delete_backup(deleted.id).await.unwrap();
    tx.commit().await.unwrap();
    let paths = [
        other.path(&format!("/backups/{}", backup.uuid)),
        panel
            .world
            .server
            .path(&format!("/backups/{}", deleted.uuid)),
        panel.world.server.path("/backups/abc"),
        panel
            .world
            .server
            .path("/backups/12345678-0000-4000-8000-000000000000"),
    ];
    for path in &paths {
        for (method, rest) in [
            ("GET", ""),
            ("DELETE", ""),
            ("GET", "/download"),
            ("POST", "/lock"),
            ("POST", "/restore"),
        ] {
            let answer = panel
                .call_as(&panel.world.owner, method, &format!("{path}{rest}"))
                .send()
                .await;
            assert_eq!(
                answer.errors(),
                "404 NotFoundHttpException: The requested resource could not be found on the server.",
                "{method} {path}{rest}"
            );
        }
    }
    assert_eq!(asked(&panel), [] as [String; 0]);
}

#[tokio::test]
async fn a_backup_is_begun_on_the_node() {
    let panel = patient_panel().await;
    let body = json!({"name": " My backup ", "ignored": "logs\n*.tmp\n\n", "is_locked": true});
    let answer = send(&panel, "POST", "/backups", body).await.json();
    let uuid = answer["attributes"]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(
        answer,
        json!({"object": "backup", "attributes": {
            "uuid": uuid, "is_successful": false, "is_locked": true, "name": "My backup",
            "ignored_files": ["logs", "*.tmp"], "checksum": null, "bytes": 0,
            "created_at": "2026-01-01T00:00:00+00:00", "completed_at": null,
        }})
    );
    assert_eq!(
        asked(&panel),
        [format!(
            r#"POST /backup {{"adapter":"wings","uuid":"{uuid}","ignore":"logs\n*.tmp"}}"#
        )]
    );
    let answer = send(
        &panel,
        "POST",
        "/backups",
        json!({"name": "", "ignored": ""}),
    )
    .await;
    let uuid = answer.json()["attributes"]["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        answer.json()["attributes"]["name"],
        "Backup at 2026-01-01 00:00:00"
    );
    assert_eq!(
        asked(&panel),
        [format!(
            r#"POST /backup {{"adapter":"wings","uuid":"{uuid}","ignore":""}}"#
        )]
    );
    assert_eq!(
        recorded(&panel).await,
        [
            json!(["server:backup.start", {"name": "My backup", "locked": true}]),
            json!(["server:backup.start", {"name": "Backup at 2026-01-01 00:00:00", "locked": false}]),
        ]
    );
    insta::assert_snapshot!(send(&panel, "POST", "/backups", json!({})).await.errors(), @"400 TooManyBackupsException: Cannot create a new backup, this server has reached its limit of 2 backups.");
}

#[tokio::test]
async fn who_may_not_delete_may_not_lock() {
    let panel = panel().await;
    let subuser = panel.add_person("subuser").await.unwrap();
    let mut tx = panel.store.begin().await.unwrap();
    let permissions = ["backup.create", "backup.read"].map(str::to_owned);
    tx.create_subuser(panel.world.server.id, subuser.id, &permissions)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let body = json!({"name": "L", "is_locked": true});
    let answer = ask(&panel, &subuser, "POST", "/backups", &body).await;
    assert_eq!(answer.json()["attributes"]["is_locked"], false);
    assert_eq!(
        recorded(&panel).await,
        [json!(["server:backup.start", {"name": "L", "locked": true}])]
    );
}

#[tokio::test]
async fn fields_are_checked() {
    let panel = panel().await;
    let table = answers(
        &panel,
        "POST",
        "/backups",
        &[
            json!({"name": "n".repeat(192)}),
            json!({"name": ["x"]}),
            json!({"name": 5}),
            json!({"is_locked": "maybe"}),
            json!({"ignored": ["a"]}),
            json!({"ignored": 5}),
        ],
    )
    .await;
    insta::assert_snapshot!(table, @r#"
    {"name":"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…
      422 ValidationException: The name may not be greater than 191 characters. [name max]
    {"name":["x"]}
      422 ValidationException: The name must be a string. [name string]
    {"name":5}
      422 ValidationException: The name must be a string. [name string]
    {"is_locked":"maybe"}
      422 ValidationException: The is locked field must be true or false. [is_locked boolean]
    {"ignored":["a"]}
      422 ValidationException: The ignored must be a string. [ignored string]
    {"ignored":5}
      422 ValidationException: The ignored must be a string. [ignored string]
    "#);
    let backup = add(&panel, "x", "wings", Fate::Made).await;
    let table = answers(
        &panel,
        "POST",
        &format!("/backups/{}/restore", backup.uuid),
        &[
            json!({}),
            json!({"truncate": null}),
            json!({"truncate": "maybe"}),
        ],
    )
    .await;
    insta::assert_snapshot!(table, @r#"
    {}
      422 ValidationException: The truncate field is required. [truncate required]
    {"truncate":null}
      422 ValidationException: The truncate field is required. [truncate required]
    {"truncate":"maybe"}
      422 ValidationException: The truncate field must be true or false. [truncate boolean]
    "#);
    assert_eq!(asked(&panel), [] as [String; 0]);
}

#[tokio::test]
async fn the_throttle_counts_deleted_backups_and_not_failed_ones() {
    let panel = panel().await;
    let failed = add(&panel, "failed", "wings", Fate::Failed).await;
    panel.clock.advance(Duration::from_secs(10));
    let made = add(&panel, "made", "wings", Fate::Made).await;
    panel.clock.advance(Duration::from_secs(100));
    let first = send(&panel, "POST", "/backups", json!({})).await;
    assert_eq!(first.status, 200);
    for backup in [&failed, &made] {
        let mut tx = panel.store.begin().await.unwrap();
        tx.delete_backup(backup.id).await.unwrap();
        tx.commit().await.unwrap();
    }
    panel.clock.advance(Duration::from_secs(50));
    let throttled = send(&panel, "POST", "/backups", json!({})).await;
    insta::assert_snapshot!(throttled.errors(), @"429 TooManyRequestsHttpException: Only 2 backups may be generated within a 600 second span of time.");
    assert_eq!(throttled.header("retry-after"), "550");
    // The first of the two leaves the window.
    panel.clock.advance(Duration::from_secs(450));
    assert_eq!(
        send(&panel, "POST", "/backups", json!({})).await.status,
        200
    );
}

#[tokio::test]
async fn thirty_two_at_once_do_not_exceed_a_limit() {
    for (throttled, expected) in [(true, 429), (false, 400)] {
        let panel = if throttled {
            panel().await
        } else {
            patient_panel().await
        };
        let calls = (0..32).map(|_| {
            let path = panel.world.server.path("/backups");
            let call = panel.call_as(&panel.world.owner, "POST", &path);
            tokio::spawn(call.json(&json!({})).send())
        });
        let mut counts = std::collections::BTreeMap::new();
        for call in calls.collect::<Vec<_>>() {
            *counts
                .entry(call.await.unwrap().status.as_u16())
                .or_insert(0) += 1;
        }
        assert_eq!(counts, [(200, 2), (expected, 30)].into());
        assert_eq!(names(&panel).await.len(), 2);
        assert_eq!(asked(&panel).len(), 2);
    }
}

#[tokio::test]
async fn a_backup_that_no_node_begins_was_never_there() {
    let panel = panel().await;
    for _ in 0..3 {
        panel.node.answer_next(500, &json!({}));
        let refused = send(&panel, "POST", "/backups", json!({})).await.errors();
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused, @"500 DaemonConnectionException: There was an error while communicating with the machine running this server. This error has been logged, please try again. (code: 500) (request_id: 00000000-0000-4000-8000-00000000beef)");
        }
    }
    panel.node.set_unreachable(true);
    insta::assert_snapshot!(send(&panel, "POST", "/backups", json!({})).await.errors(), @"504 DaemonConnectionException: Could not establish a connection to the machine running this server. Please try again.");
    assert_eq!(names(&panel).await, [] as [String; 0]);
    assert_eq!(recorded(&panel).await, [] as [Value; 0]);
    // Nor does the throttle know of it.
    panel.node.set_unreachable(false);
    assert_eq!(
        send(&panel, "POST", "/backups", json!({})).await.status,
        200
    );
}

#[tokio::test]
async fn schedules_rotate_the_oldest_unlocked_backup_out() {
    let panel = patient_panel().await;
    let locked = add(&panel, "locked", "wings", Fate::Made).await;
    let mut tx = panel.store.begin().await.unwrap();
    tx.toggle_backup_lock(locked.id).await.unwrap();
    tx.commit().await.unwrap();
    add(&panel, "failed", "wings", Fate::Failed).await;
    let oldest = add(&panel, "oldest", "wings", Fate::Made).await;
    let server = panel
        .store
        .server(panel.world.server.id)
        .await
        .unwrap()
        .unwrap();
    let create = || hatchery_app::backups::create_for_schedule(&panel.cx, &server, "a\nb");
    let made = create().await.unwrap();
    assert_eq!(made.ignored_files, ["a", "b"]);
    assert_eq!(
        asked(&panel),
        [
            format!("DELETE /backup/{} ", oldest.uuid),
            format!(
                r#"POST /backup {{"adapter":"wings","uuid":"{}","ignore":"a\nb"}}"#,
                made.uuid
            ),
        ]
    );
    assert_eq!(
        names(&panel).await,
        ["locked", "failed", "Backup at 2026-01-01 00:00:00"]
    );
    // Nothing is left that may go.
    let mut tx = panel.store.begin().await.unwrap();
    tx.toggle_backup_lock(made.id).await.unwrap();
    tx.commit().await.unwrap();
    let error = create().await.unwrap_err();
    assert_eq!(error.to_string(), "the server has its 2 backups");
    assert_eq!(recorded(&panel).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_lock_is_turned_and_keeps_a_backup() {
    let panel = panel().await;
    let backup = add(&panel, "kept", "wings", Fate::Made).await;
    let path = format!("/backups/{}", backup.uuid);
    let lock = format!("{path}/lock");
    let locked = send(&panel, "POST", &lock, Value::Null).await;
    assert_eq!(
        (
            locked.status.as_u16(),
            &locked.json()["attributes"]["is_locked"]
        ),
        (200, &json!(true))
    );
    insta::assert_snapshot!(send(&panel, "DELETE", &path, Value::Null).await.errors(), @"400 BackupLockedException: Cannot delete a backup that is marked as locked.");
    let unlocked = send(&panel, "POST", &lock, Value::Null).await;
    assert_eq!(unlocked.json()["attributes"]["is_locked"], false);
    assert_eq!(
        send(&panel, "DELETE", &path, Value::Null).await.errors(),
        "204"
    );
    assert_eq!(
        recorded(&panel).await,
        [
            json!(["server:backup.lock", {"name": "kept"}]),
            json!(["server:backup.unlock", {"name": "kept"}]),
            json!(["server:backup.delete", {"name": "kept", "failed": false}]),
        ]
    );
}

#[tokio::test]
async fn a_backup_is_deleted_on_its_node() {
    let panel = panel().await;
    let unknown = add(&panel, "unknown", "floppy", Fate::Made).await;
    let stuck = add(&panel, "stuck", "wings", Fate::GoingOn).await;
    let delete = async |backup: &Backup| {
        let path = format!("/backups/{}", backup.uuid);
        send(&panel, "DELETE", &path, Value::Null).await.errors()
    };
    panel.node.answer_next(404, &json!({"error": "Not here."}));
    assert_eq!(delete(&unknown).await, "204");
    panel.node.answer_next(500, &json!({}));
    insta::assert_snapshot!(delete(&stuck).await, @"500 DaemonConnectionException: There was an error while communicating with the machine running this server. This error has been logged, please try again. (code: 500) (request_id: 00000000-0000-4000-8000-00000000beef)");
    assert_eq!(names(&panel).await, ["stuck"]);
    assert_eq!(
        asked(&panel),
        [
            format!("DELETE /backup/{} ", unknown.uuid),
            format!("DELETE /backup/{} ", stuck.uuid),
        ]
    );
    assert_eq!(
        recorded(&panel).await,
        [json!(["server:backup.delete", {"name": "unknown", "failed": false}])]
    );
}

#[tokio::test]
async fn a_link_to_download() {
    let panel = panel().await;
    let backup = add(&panel, "going on", "wings", Fate::GoingOn).await;
    let floppy = add(&panel, "floppy", "floppy", Fate::Made).await;
    let bucket = add(&panel, "bucket", "s3", Fate::Made).await;
    let path = format!("/backups/{}/download", backup.uuid);
    let answer = send(&panel, "GET", &path, Value::Null).await.json();
    assert_eq!(answer["object"], "signed_url");
    let url = answer["attributes"]["url"].as_str().unwrap();
    let token = url
        .strip_prefix("http://panel.test/download/backup?token=")
        .unwrap();
    let claims = hatchery_node_proto::jwt::verify::<hatchery_node_proto::jwt::BackupDownload>(
        &hatchery_node_proto::NodeToken::new(hatchery_testkit::NODE_TOKEN),
        token,
        panel.cx.now(),
    )
    .unwrap();
    assert_eq!(claims.exp - claims.iat, 15 * 60);
    assert_eq!(
        (claims.purpose.backup_uuid, claims.purpose.server_uuid),
        (backup.uuid, panel.world.server.uuid)
    );
    for backup in [&floppy, &bucket] {
        let path = format!("/backups/{}/download", backup.uuid);
        let answer = send(&panel, "GET", &path, Value::Null).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(answer.errors(), @"400 BadRequestHttpException: The backup requested references an unknown disk driver type and cannot be downloaded.");
        }
    }
    assert_eq!(
        recorded(&panel).await,
        [json!(["server:backup.download", {"name": "going on"}])]
    );
}

#[tokio::test]
async fn a_backup_is_put_back_by_the_node() {
    let panel = panel().await;
    let backup = add(&panel, "good", "wings", Fate::Made).await;
    let failed = add(&panel, "failed", "wings", Fate::Failed).await;
    let running = add(&panel, "running", "wings", Fate::GoingOn).await;
    let path = |backup: &Backup| format!("/backups/{}/restore", backup.uuid);
    insta::assert_snapshot!(send(&panel, "POST", &path(&running), json!({"truncate": false})).await.errors(), @"400 BadRequestHttpException: This backup cannot be restored at this time: not completed or failed.");
    set_status(&panel, Some(ServerStatus::ReinstallFailed)).await;
    insta::assert_snapshot!(send(&panel, "POST", &path(&backup), json!({"truncate": false})).await.errors(), @"400 BadRequestHttpException: This server is not currently in a state that allows for a backup to be restored.");
    set_status(&panel, None).await;
    panel.node.answer_next(500, &json!({}));
    insta::assert_snapshot!(send(&panel, "POST", &path(&backup), json!({"truncate": false})).await.errors(), @"500 DaemonConnectionException: There was an error while communicating with the machine running this server. This error has been logged, please try again. (code: 500) (request_id: 00000000-0000-4000-8000-00000000beef)");
    assert_eq!(status(&panel).await, None);
    assert_eq!(recorded(&panel).await, [] as [Value; 0]);
    asked(&panel);

    let restored = send(&panel, "POST", &path(&backup), json!({"truncate": "1"})).await;
    assert_eq!(restored.errors(), "204");
    assert_eq!(
        asked(&panel),
        [format!(
            r#"POST /backup/{}/restore {{"adapter":"wings","truncate_directory":true,"download_url":""}}"#,
            backup.uuid
        )]
    );
    assert_eq!(status(&panel).await, Some(ServerStatus::RestoringBackup));
    insta::assert_snapshot!(send(&panel, "POST", &path(&backup), json!({"truncate": false})).await.errors(), @"409 ServerStateConflictException: This server is currently restoring from a backup, please try again later.");
    set_status(&panel, None).await;
    // One that failed and has ended passes, as in the reference.
    let restored = send(&panel, "POST", &path(&failed), json!({"truncate": false})).await;
    assert_eq!(restored.errors(), "204");
    set_status(&panel, None).await;
    assert_eq!(
        recorded(&panel).await,
        [
            json!(["server:backup.restore", {"name": "good", "truncate": "1"}]),
            json!(["server:backup.restore", {"name": "failed", "truncate": false}]),
        ]
    );
}

#[tokio::test]
async fn only_one_restoration_begins() {
    let panel = panel().await;
    let backup = add(&panel, "good", "wings", Fate::Made).await;
    let calls = (0..8).map(|_| {
        let path = format!("/backups/{}/restore", backup.uuid);
        let path = panel.world.server.path(&path);
        let call = panel.call_as(&panel.world.owner, "POST", &path);
        tokio::spawn(call.json(&json!({"truncate": false})).send())
    });
    let mut begun = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap().status.as_u16() {
            204 => begun += 1,
            other => assert_eq!(other, 409),
        }
    }
    assert_eq!((begun, asked(&panel).len()), (1, 1));
}

#[tokio::test]
async fn what_nobody_reports_on_counts_as_failed() {
    let panel = panel().await;
    let old = add(&panel, "old", "wings", Fate::GoingOn).await;
    panel.clock.advance(Duration::from_mins(359));
    let young = add(&panel, "young", "wings", Fate::GoingOn).await;
    panel.clock.advance(Duration::from_mins(2));
    hatchery_app::backups::prune(&panel.cx).await.unwrap();
    let ended = async |backup: &Backup| {
        let found = panel.store.backup(panel.world.server.id, backup.uuid).await;
        let found = found.unwrap().unwrap();
        (found.completed_at.is_some(), found.is_successful)
    };
    assert_eq!(ended(&old).await, (true, false));
    assert_eq!(ended(&young).await, (false, false));
}

async fn status(panel: &TestPanel) -> Option<ServerStatus> {
    let server = panel.store.server(panel.world.server.id).await.unwrap();
    server.unwrap().status
}

async fn set_status(panel: &TestPanel, status: Option<ServerStatus>) {
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_server_status(panel.world.server.id, status)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}
