//! Who may use `/servers/{server}/backups`.

use std::time::Duration;

use hatchery_store::{BackupOutcome, NewBackup};
use hatchery_testkit::{Person, TestPanel};

use super::{Prepared, Row};

pub(super) const ROWS: &[Row] = &[
    Row::needs("listBackups", "backup.read"),
    Row::needs("createBackup", "backup.create")
        .json(r#"{"name": "x"}"#)
        .about(room_for_one),
    Row::needs("viewBackup", "backup.read").about(a_backup),
    Row::needs("downloadBackup", "backup.download").about(a_backup),
    Row::needs("lockBackup", "backup.delete").about(a_backup),
    Row::needs("restoreBackup", "backup.restore")
        .json(r#"{"truncate": false}"#)
        .about(a_backup_of_a_quiet_server)
        .answers("204"),
    Row::needs("deleteBackup", "backup.delete")
        .about(a_backup)
        .answers("204"),
];

/// A completed backup.
fn a_backup<'a>(panel: &'a TestPanel, _: &'a Person) -> Prepared<'a> {
    Box::pin(async move {
        let mut tx = panel.store.begin().await.unwrap();
        let backup = tx
            .create_backup(&NewBackup {
                server_id: panel.world.server.id,
                name: "a backup".to_owned(),
                ignored_files: Vec::new(),
                disk: "wings".to_owned(),
                is_locked: false,
            })
            .await
            .unwrap();
        let made = BackupOutcome::Made {
            checksum: "sha1:00".to_owned(),
            bytes: 1,
        };
        assert!(tx.finish_backup(backup.id, &made).await.unwrap());
        tx.commit().await.unwrap();
        vec![("backup", backup.uuid.to_string())]
    })
}

/// The same, while what was begun by an earlier restoration has ended.
fn a_backup_of_a_quiet_server<'a>(panel: &'a TestPanel, caller: &'a Person) -> Prepared<'a> {
    Box::pin(async move {
        let restoring = Some(hatchery_vocab::ServerStatus::RestoringBackup);
        let mut tx = panel.store.begin().await.unwrap();
        tx.move_server_status(panel.world.server.id, restoring, None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        a_backup(panel, caller).await
    })
}

/// No backup that is being made, and none made lately.
fn room_for_one<'a>(panel: &'a TestPanel, _: &'a Person) -> Prepared<'a> {
    Box::pin(async move {
        let later = panel.cx.now().plus(Duration::from_secs(1));
        for backup in panel.store.unfinished_backups(later).await.unwrap() {
            let mut tx = panel.store.begin().await.unwrap();
            tx.withdraw_backup(backup.id).await.unwrap();
            tx.commit().await.unwrap();
        }
        Vec::new()
    })
}
