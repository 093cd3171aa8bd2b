//! The bucket that keeps backups of the adapter `s3`.

use std::time::Duration;

use hatchery_store::Backup;
use hatchery_vocab::{BackupUuid, ServerUuid};

use super::DeleteError;
use crate::Cx;

/// How long an address from which an archive can be fetched is valid (client-api.md §6.3).
const DOWNLOAD_LIFETIME: Duration = Duration::from_mins(5);

/// What a bucket calls a backup.
pub(crate) fn object_key(server: ServerUuid, backup: BackupUuid) -> String {
    format!("{server}/{backup}.tar.gz")
}

/// Where a backup in the bucket can be fetched from; nothing without a bucket.
pub(super) fn download_address(cx: &Cx, server: ServerUuid, backup: &Backup) -> Option<String> {
    let bucket = cx.settings().backups.bucket.as_ref()?;
    let key = object_key(server, backup.uuid);
    Some(bucket.download_address(&key, cx.now(), DOWNLOAD_LIFETIME))
}

/// Deletes a backup from the bucket, and what was uploaded of it if it is not complete.
pub(super) async fn delete_object(
    cx: &Cx,
    server: ServerUuid,
    backup: &Backup,
) -> Result<(), DeleteError> {
    let bucket = cx.settings().backups.bucket.as_ref();
    let bucket = bucket.ok_or(DeleteError::UnknownKeeper)?;
    let key = object_key(server, backup.uuid);
    if let Some(upload) = backup.upload_id.as_deref()
        && backup.completed_at.is_none()
    {
        bucket.abort_upload(&key, upload, cx.now()).await?;
    }
    Ok(bucket.delete(&key, cx.now()).await?)
}
