//! Backups that nobody reports on any more (client-api.md §10.2).

use hatchery_store::{Backup, BackupOutcome, StoreError};

use super::object_key;
use crate::Cx;

/// Marks backups as failed that have been going on for longer than the settings allow, and frees
/// what a bucket has of them.
pub async fn prune(cx: &Cx) -> Result<(), StoreError> {
    let oldest = cx.now().minus(cx.settings().backups.prune_after);
    for backup in cx.store().unfinished_backups(oldest).await? {
        let mut tx = cx.store().begin().await?;
        let failed = tx.finish_backup(backup.id, &BackupOutcome::Failed).await?;
        tx.commit().await?;
        if failed {
            tracing::warn!(backup = %backup.uuid, "a backup never ended and counts as failed");
            give_upload_up(cx, &backup).await?;
        }
    }
    Ok(())
}

/// Frees what a bucket has of a backup that failed. A bucket that does not do it keeps the parts
/// until its own rules remove them, so that is logged and no more.
pub(crate) async fn give_upload_up(cx: &Cx, backup: &Backup) -> Result<(), StoreError> {
    let (Some(bucket), Some(upload)) = (&cx.settings().backups.bucket, &backup.upload_id) else {
        return Ok(());
    };
    let Some(server) = cx.store().server(backup.server_id).await? else {
        return Ok(());
    };
    let key = object_key(server.uuid, backup.uuid);
    if let Err(error) = bucket.abort_upload(&key, upload, cx.now()).await {
        tracing::warn!(backup = %backup.uuid, %error, "an upload could not be given up; its parts stay in the bucket");
    }
    Ok(())
}
