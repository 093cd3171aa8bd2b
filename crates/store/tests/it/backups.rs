//! Backups: pages, limits, ends.

use std::time::Duration;

use hatchery_ambient::Clock as _;
use hatchery_store::testing::TestStore;
use hatchery_store::{Backup, BackupOutcome, BackupUsage, NewBackup, Page, both_dbs};
use hatchery_vocab::ServerId;

use crate::world::World;

async fn add(store: &TestStore, server: ServerId, name: &str) -> Backup {
    let mut tx = store.begin().await.unwrap();
    let backup = tx
        .create_backup(&NewBackup {
            server_id: server,
            name: name.to_owned(),
            ignored_files: vec!["*.log".to_owned(), "ü".to_owned()],
            disk: "wings".to_owned(),
            is_locked: true,
        })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    backup
}

async fn end(store: &TestStore, backup: &Backup, outcome: &BackupOutcome) -> bool {
    let mut tx = store.begin().await.unwrap();
    let changed = tx.finish_backup(backup.id, outcome).await.unwrap();
    tx.commit().await.unwrap();
    changed
}

fn made() -> BackupOutcome {
    BackupOutcome::Made {
        checksum: "sha1:abc".to_owned(),
        bytes: 7,
    }
}

both_dbs! {
    async fn a_backup_ends_once_if_it_ends_well(store: TestStore) {
        let world = World::create(&store).await;
        let server = world.add_server(&store, world.owner, "Main").await;
        let begun = add(&store, server, "x").await;
        assert_eq!(store.backup(server, begun.uuid).await.unwrap().unwrap(), begun);
        assert!(end(&store, &begun, &BackupOutcome::Failed).await);
        let failed = store.backup(server, begun.uuid).await.unwrap().unwrap();
        assert_eq!((failed.is_locked, failed.is_successful, failed.completed_at), (false, false, Some(store.clock.now())));
        assert!(end(&store, &begun, &made()).await);
        assert!(!end(&store, &begun, &BackupOutcome::Failed).await);
        let ended = store.backup_of_any_server(begun.uuid).await.unwrap().unwrap();
        assert_eq!((ended.is_successful, ended.checksum.as_deref(), ended.bytes), (true, Some("sha1:abc"), 7));
        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_backup(begun.id).await.unwrap());
        assert!(!tx.delete_backup(begun.id).await.unwrap());
        assert_eq!(tx.toggle_backup_lock(begun.id).await.unwrap(), None);
        tx.commit().await.unwrap();
        assert_eq!(store.backup(server, begun.uuid).await.unwrap(), None);
        assert!(store.backup_of_any_server(begun.uuid).await.unwrap().unwrap().deleted_at.is_some());
    }

    async fn what_counts_for_limit_and_throttle(store: TestStore) {
        let world = World::create(&store).await;
        let server = world.add_server(&store, world.owner, "Main").await;
        let other = world.add_server(&store, world.owner, "Other").await;
        add(&store, other, "of another server").await;
        let start = store.clock.now();
        let old = add(&store, server, "old").await;
        end(&store, &old, &made()).await;
        store.clock.advance(Duration::from_mins(1));
        let since = store.clock.now();
        store.clock.advance(Duration::from_mins(1));
        let failed = add(&store, server, "failed").await;
        end(&store, &failed, &BackupOutcome::Failed).await;
        let running = add(&store, server, "running").await;
        let deleted = add(&store, server, "deleted").await;
        end(&store, &deleted, &made()).await;
        let mut tx = store.begin().await.unwrap();
        tx.delete_backup(deleted.id).await.unwrap();
        let usage = tx.backup_usage(server, since).await.unwrap().unwrap();
        assert_eq!(usage, BackupUsage { limit: usage.limit, kept: 2, recent: 2, newest: Some(deleted.created_at) });
        assert_eq!(tx.backup_usage(ServerId::new(99), since).await.unwrap(), None);
        assert_eq!(tx.oldest_unlocked_backup(server).await.unwrap(), None);
        tx.toggle_backup_lock(running.id).await.unwrap();
        tx.toggle_backup_lock(old.id).await.unwrap();
        assert_eq!(tx.oldest_unlocked_backup(server).await.unwrap().unwrap().id, old.id);
        tx.commit().await.unwrap();

        let page = store.backups_of(server, Page { number: 1, size: 2 }).await.unwrap();
        let names: Vec<_> = page.items.iter().map(|backup| backup.name.as_str()).collect();
        assert_eq!((page.total, page.kept, names), (3, 2, vec!["old", "failed"]));
        let unfinished = store.unfinished_backups(store.clock.now().plus(Duration::from_secs(1))).await.unwrap();
        assert_eq!(unfinished.iter().filter(|backup| backup.server_id == server).map(|backup| backup.id).collect::<Vec<_>>(), [running.id]);
        assert!(store.unfinished_backups(start).await.unwrap().is_empty());
        let mut tx = store.begin().await.unwrap();
        tx.withdraw_backup(running.id).await.unwrap();
        tx.withdraw_backup(old.id).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.backup_of_any_server(running.uuid).await.unwrap(), None);
        assert!(store.backup_of_any_server(old.uuid).await.unwrap().is_some(), "only what never began");
    }
}
