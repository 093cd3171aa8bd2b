//! Putting a backup back (client-api.md §3.10.6).

use std::sync::Arc;

use hatchery_node_proto::{BackupAdapter, NodeError, RestoreBackup};
use hatchery_store::{Backup, ServerSnapshot, StoreError, Subject};
use hatchery_vocab::ServerStatus;
use serde_json::Value;

use super::keeper;
use crate::access::{Access, needs};
use crate::activity::Event;
use crate::detached::to_the_end;
use crate::{Cx, node_call};

/// Why a backup is not being put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The server is in no state for it.
    #[error("the server is in no state for it")]
    ServerState,
    /// Another one is being put back.
    #[error("another backup is being put back")]
    Restoring,
    /// The backup is still being made.
    #[error("the backup is still being made")]
    NotCompleted,
    /// It is in a bucket, and none is set up.
    #[error("the backup is kept in a bucket that this panel does not know")]
    UnknownKeeper,
    /// The node did not begin.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Begins to put a backup back. `as_sent` is what the log keeps of `truncate`.
pub async fn restore(
    cx: &Cx,
    access: &Access<needs::BackupRestore>,
    backup: &Backup,
    truncate: bool,
    as_sent: Value,
) -> Result<(), RestoreError> {
    if access.server.status.is_some() {
        return Err(RestoreError::ServerState);
    }
    // One that failed and is completed passes, as in the reference; the node does not find it.
    if !backup.is_successful && backup.completed_at.is_none() {
        return Err(RestoreError::NotCompleted);
    }
    let download_url = match BackupAdapter::from_name(&backup.disk) {
        Some(BackupAdapter::S3) => keeper::download_address(cx, access.server.uuid, backup)
            .ok_or(RestoreError::UnknownKeeper)?,
        Some(BackupAdapter::Wings) | None => String::new(),
    };
    let order = RestoreBackup {
        adapter: backup.disk.clone(),
        truncate_directory: truncate,
        download_url,
    };
    let (owned, server, uuid) = (cx.clone(), Arc::clone(&access.server), backup.uuid);
    to_the_end(async move {
        if !mark(&owned, &server, None, Some(ServerStatus::RestoringBackup)).await? {
            return Err(RestoreError::Restoring);
        }
        let begun = match node_call::client(&owned, &server.node) {
            Ok(node) => node.restore_backup(server.uuid, uuid, &order).await,
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            mark(&owned, &server, Some(ServerStatus::RestoringBackup), None).await?;
            return Err(error.into());
        }
        Ok(())
    })
    .await?;
    Event::new("server:backup.restore")
        .with("name", backup.name.as_str())
        .with("truncate", as_sent)
        .about(Subject::Backup(backup.id))
        .on_server(cx, access);
    Ok(())
}

/// Moves the server from one status to another, if it is in the first.
async fn mark(
    cx: &Cx,
    server: &ServerSnapshot,
    from: Option<ServerStatus>,
    to: Option<ServerStatus>,
) -> Result<bool, StoreError> {
    let mut tx = cx.store().begin().await?;
    let moved = tx.move_server_status(server.id, from, to).await?;
    tx.commit().await?;
    Ok(moved)
}
