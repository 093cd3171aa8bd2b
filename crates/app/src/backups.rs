//! Backups of servers' files. A node makes them; it or a bucket keeps them.

mod create;
mod keeper;
mod prune;
mod restore;

use std::sync::Arc;

use hatchery_node_proto::{BackupAdapter, NodeError, jwt};
use hatchery_s3::BucketError;
use hatchery_store::{Backup, BackupPage, Page, ServerSnapshot, StoreError, Subject};
use hatchery_vocab::BackupUuid;

pub use create::{BackupRequest, CreateError, create, create_for_schedule};
pub(crate) use keeper::object_key;
pub(crate) use prune::give_upload_up;
pub use prune::prune;
pub use restore::{RestoreError, restore};

use crate::access::{Access, needs};
use crate::activity::Event;
use crate::detached::to_the_end;
use crate::links::{self, NodeAddress};
use crate::{Cx, node_call};

/// A server's backup by its UUID.
pub async fn find(
    cx: &Cx,
    server: &ServerSnapshot,
    uuid: BackupUuid,
) -> Result<Option<Backup>, StoreError> {
    cx.store().backup(server.id, uuid).await
}

/// A page of the server's backups, oldest first.
pub async fn list(
    cx: &Cx,
    access: &Access<needs::BackupRead>,
    page: Page,
) -> Result<BackupPage, StoreError> {
    cx.store().backups_of(access.server.id, page).await
}

/// Why there is no address from which a backup can be fetched.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Nobody knows who keeps it.
    #[error("the backup is kept by nobody that this panel knows")]
    UnknownKeeper,
    /// The node cannot be spoken to.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// An address from which a backup can be fetched. Whether it is completed is not looked at
/// (client-api.md §3.10.4).
pub fn download_link(
    cx: &Cx,
    access: &Access<needs::BackupDownload>,
    backup: &Backup,
    panel: &str,
) -> Result<String, DownloadError> {
    let link = match BackupAdapter::from_name(&backup.disk) {
        Some(BackupAdapter::Wings) => {
            let address = NodeAddress::of(&access.server.node, panel);
            let purpose = jwt::BackupDownload {
                backup_uuid: backup.uuid,
                server_uuid: access.server.uuid,
            };
            let token = links::issue(cx, access, &address, panel, purpose)?;
            address.link("/download/backup", &token)
        }
        Some(BackupAdapter::S3) => keeper::download_address(cx, access.server.uuid, backup)
            .ok_or(DownloadError::UnknownKeeper)?,
        None => return Err(DownloadError::UnknownKeeper),
    };
    Event::new("server:backup.download")
        .with("name", backup.name.as_str())
        .about(Subject::Backup(backup.id))
        .on_server(cx, access);
    Ok(link)
}

/// Locks a backup, or unlocks one that is locked. Nothing when it was deleted meanwhile.
pub async fn toggle_lock(
    cx: &Cx,
    access: &Access<needs::BackupDelete>,
    backup: &Backup,
) -> Result<Option<Backup>, StoreError> {
    let mut tx = cx.store().begin().await?;
    let toggled = tx.toggle_backup_lock(backup.id).await?;
    tx.commit().await?;
    if let Some(backup) = &toggled {
        Event::new(if backup.is_locked {
            "server:backup.lock"
        } else {
            "server:backup.unlock"
        })
        .with("name", backup.name.as_str())
        .about(Subject::Backup(backup.id))
        .on_server(cx, access);
    }
    Ok(toggled)
}

/// Why a backup was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// It is locked.
    #[error("the backup is locked")]
    Locked,
    /// It is in a bucket, and none is set up.
    #[error("the backup is kept in a bucket that this panel does not know")]
    UnknownKeeper,
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The bucket failed.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes a backup wherever it is kept.
pub async fn delete(
    cx: &Cx,
    access: &Access<needs::BackupDelete>,
    backup: &Backup,
) -> Result<(), DeleteError> {
    if backup.is_locked && backup.is_successful && backup.completed_at.is_some() {
        return Err(DeleteError::Locked);
    }
    discard(cx, &access.server, backup).await?;
    Event::new("server:backup.delete")
        .with("name", backup.name.as_str())
        .with("failed", !backup.is_successful)
        .about(Subject::Backup(backup.id))
        .on_server(cx, access);
    Ok(())
}

/// Deletes what is kept of a backup, and marks it as deleted. One that its keeper does not know is
/// as good as deleted.
async fn discard(
    cx: &Cx,
    server: &Arc<ServerSnapshot>,
    backup: &Backup,
) -> Result<(), DeleteError> {
    let (cx, server, backup) = (cx.clone(), Arc::clone(server), backup.clone());
    to_the_end(async move {
        if BackupAdapter::from_name(&backup.disk) == Some(BackupAdapter::S3) {
            keeper::delete_object(&cx, server.uuid, &backup).await?;
        } else {
            let node = node_call::client(&cx, &server.node)?;
            match node.delete_backup(server.uuid, backup.uuid).await {
                Err(error) if error.is_not_found() => {}
                answer => answer?,
            }
        }
        let mut tx = cx.store().begin().await?;
        tx.delete_backup(backup.id).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}
