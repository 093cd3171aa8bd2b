//! Backups, as nodes report on them (node-protocol.md §2.10).

use std::net::IpAddr;
use std::sync::Arc;

use hatchery_node_proto::{BackupAdapter, BackupReport, UploadAddresses, UploadedPart};
use hatchery_s3::{Bucket, BucketError, MAX_PARTS};
use hatchery_store::{Backup, BackupOutcome, Node, ServerSnapshot, StoreError, Subject};
use hatchery_vocab::{BackupUuid, ServerStatus};

use crate::Cx;
use crate::activity::Event;
use crate::backups::{give_upload_up, object_key};

/// Why a node's call about a backup was refused.
#[derive(Debug, thiserror::Error)]
pub enum BackupCallError {
    /// There is no such backup.
    #[error("there is no such backup")]
    NotFound,
    /// It is a backup of another node's server.
    #[error("the backup belongs to a server of another node")]
    OtherNode,
    /// It has ended.
    #[error("the backup has ended")]
    Completed,
    /// It is not kept in a bucket.
    #[error("the backup is not kept in a bucket")]
    NoBucket,
    /// It would take more parts than an upload may have.
    #[error("the archive is too large for the bucket")]
    TooLarge,
    /// The bucket has no such upload, or not these parts.
    #[error("the bucket does not complete the upload: {0}")]
    Incomplete(BucketError),
    /// The bucket cannot be reached.
    #[error(transparent)]
    Bucket(BucketError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A backup, deleted or not, of one of the node's own servers.
async fn own(
    cx: &Cx,
    node: &Node,
    uuid: BackupUuid,
) -> Result<(Backup, Arc<ServerSnapshot>), BackupCallError> {
    let backup = cx.store().backup_of_any_server(uuid).await?;
    let backup = backup.ok_or(BackupCallError::NotFound)?;
    let server = cx.store().server(backup.server_id).await?;
    let server = server.ok_or(BackupCallError::NotFound)?;
    if server.node.id == node.id {
        Ok((backup, server))
    } else {
        Err(BackupCallError::OtherNode)
    }
}

/// The same without deleted ones.
async fn own_present(
    cx: &Cx,
    node: &Node,
    uuid: BackupUuid,
) -> Result<(Backup, Arc<ServerSnapshot>), BackupCallError> {
    let found = own(cx, node, uuid).await?;
    if found.0.deleted_at.is_some() {
        return Err(BackupCallError::NotFound);
    }
    Ok(found)
}

/// Addresses to which the parts of an archive of so many bytes can be put. An upload that was begun
/// before is given up.
pub async fn upload_addresses(
    cx: &Cx,
    node: &Node,
    uuid: BackupUuid,
    size: u64,
) -> Result<UploadAddresses, BackupCallError> {
    let (backup, server) = own_present(cx, node, uuid).await?;
    if backup.completed_at.is_some() {
        return Err(BackupCallError::Completed);
    }
    let settings = &cx.settings().backups;
    let bucket = bucket_of(cx, &backup).ok_or(BackupCallError::NoBucket)?;
    let count = size.div_ceil(settings.max_part.max(1)).max(1);
    let count = u16::try_from(count)
        .ok()
        .filter(|count| u64::from(*count) <= MAX_PARTS)
        .ok_or(BackupCallError::TooLarge)?;
    give_upload_up(cx, &backup).await?;
    let key = object_key(server.uuid, uuid);
    let upload = bucket
        .begin_upload(&key, cx.now())
        .await
        .map_err(BackupCallError::Bucket)?;
    let mut tx = cx.store().begin().await?;
    tx.set_backup_upload(backup.id, Some(&upload)).await?;
    tx.commit().await?;
    let lifetime = settings.address_lifetime;
    Ok(UploadAddresses {
        parts: bucket.part_addresses(&key, &upload, count, cx.now(), lifetime),
        part_size: settings.max_part,
    })
}

/// Notes how a backup ended. What a node has put into a bucket becomes an object first, or is given
/// up.
pub async fn report_backup(
    cx: &Cx,
    node: &Node,
    address: IpAddr,
    uuid: BackupUuid,
    report: BackupReport,
) -> Result<(), BackupCallError> {
    let (backup, server) = own_present(cx, node, uuid).await?;
    if backup.is_successful {
        return Err(BackupCallError::Completed);
    }
    let mut refusal = None;
    let outcome = if report.successful {
        match complete_upload(cx, &server, &backup, report.parts).await {
            Ok(()) => BackupOutcome::Made {
                checksum: format!("{}:{}", report.checksum_type, report.checksum),
                bytes: report.size,
            },
            Err(BackupCallError::Incomplete(error)) => {
                tracing::warn!(backup = %uuid, %error, "a bucket does not complete an upload");
                refusal = Some(BackupCallError::Incomplete(error));
                BackupOutcome::Failed
            }
            Err(error) => return Err(error),
        }
    } else {
        BackupOutcome::Failed
    };
    let mut tx = cx.store().begin().await?;
    let changed = tx.finish_backup(backup.id, &outcome).await?;
    tx.commit().await?;
    if !changed {
        return Err(BackupCallError::Completed);
    }
    let event = match outcome {
        BackupOutcome::Made { .. } => "server:backup.complete",
        BackupOutcome::Failed => {
            give_upload_up(cx, &backup).await?;
            "server:backup.fail"
        }
    };
    note(cx, event, &backup, address);
    refusal.map_or(Ok(()), Err)
}

/// Makes an object of what a node has put into the bucket.
async fn complete_upload(
    cx: &Cx,
    server: &ServerSnapshot,
    backup: &Backup,
    parts: Option<Vec<UploadedPart>>,
) -> Result<(), BackupCallError> {
    let Some(bucket) = bucket_of(cx, backup) else {
        return Ok(());
    };
    let told_apart = |error| match error {
        BucketError::Unreachable(_) => BackupCallError::Bucket(error),
        other => BackupCallError::Incomplete(other),
    };
    let Some(upload) = &backup.upload_id else {
        let reason = "no upload was begun".to_owned();
        return Err(BackupCallError::Incomplete(BucketError::Malformed(reason)));
    };
    let key = object_key(server.uuid, backup.uuid);
    let tags = match parts {
        Some(mut parts) => {
            parts.sort_by_key(|part| part.part_number);
            parts.into_iter().map(|part| part.etag).collect()
        }
        None => bucket
            .parts(&key, upload, cx.now())
            .await
            .map_err(told_apart)?,
    };
    bucket
        .complete_upload(&key, upload, &tags, cx.now())
        .await
        .map_err(told_apart)
}

/// Notes how putting a backup back ended. The server is free again either way; one that is
/// suspended stays so.
pub async fn report_restore(
    cx: &Cx,
    node: &Node,
    address: IpAddr,
    uuid: BackupUuid,
    successful: bool,
) -> Result<(), BackupCallError> {
    let (backup, server) = own(cx, node, uuid).await?;
    let mut tx = cx.store().begin().await?;
    tx.move_server_status(server.id, Some(ServerStatus::RestoringBackup), None)
        .await?;
    tx.commit().await?;
    // The second name has a dot where all others have a colon, in the reference too
    // (client-api.md §12.4).
    let event = if successful {
        "server:backup.restore-complete"
    } else {
        "server.backup.restore-failed"
    };
    note(cx, event, &backup, address);
    Ok(())
}

fn note(cx: &Cx, event: &'static str, backup: &Backup, address: IpAddr) {
    Event::new(event)
        .with("name", backup.name.as_str())
        .about(Subject::Backup(backup.id))
        .about(Subject::Server(backup.server_id))
        .by_nobody(cx, address);
}

/// The bucket, if it is to keep this backup.
fn bucket_of<'a>(cx: &'a Cx, backup: &Backup) -> Option<&'a Bucket> {
    let in_bucket = BackupAdapter::from_name(&backup.disk) == Some(BackupAdapter::S3);
    cx.settings().backups.bucket.as_ref().filter(|_| in_bucket)
}
