//! Bringing a node and the panel's data together again.

use std::collections::HashSet;

use hatchery_node_proto::{NodeClient, NodeError};
use hatchery_store::StoreError;
use hatchery_vocab::{NodeId, ServerStatus, ServerUuid};
use http::StatusCode;

use super::create::start_setting;
use crate::Cx;

/// Why a node and the data were not brought together.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Hands servers that wait for their installation to their node, and has the node delete servers
/// that were deleted from the data.
///
/// Called at start, and when another process changed the data: a command line beside a running
/// panel creates and deletes servers without being able to speak to the node. It may be repeated
/// at any time. A node that nobody can speak to is left alone.
///
/// # Errors
/// The store failed, or the node could not be reached. A server that the node refuses is logged
/// and does not hold up the others.
pub async fn reconcile(cx: &Cx, node: NodeId) -> Result<(), ReconcileError> {
    let Some(row) = cx.store().node(node).await? else {
        return Ok(());
    };
    let Some(client) = cx.nodes().client(&row) else {
        return Ok(());
    };
    for id in cx
        .store()
        .servers_in_status(node, ServerStatus::Installing)
        .await?
    {
        let Some(server) = cx.store().server(id).await? else {
            continue;
        };
        let start = start_setting(server.uuid);
        let starts = cx.store().setting(&start).await?.is_some();
        let handed = match client.create(server.uuid, starts).await {
            // The node knows it: a first installation was cut short, or is under way, which the
            // node then answers as a conflict too.
            Err(error) if error.status() == Some(StatusCode::CONFLICT) => {
                client.install(server.uuid).await
            }
            answer => answer,
        };
        match handed {
            Ok(()) => {}
            Err(error) if error.status() == Some(StatusCode::CONFLICT) => {}
            Err(error @ NodeError::Io(_)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(server = %server.uuid, %error, "the node did not take the server");
                continue;
            }
        }
        if starts {
            let mut tx = cx.store().begin().await?;
            tx.take_setting(&start).await?;
            tx.commit().await?;
        }
    }
    delete_gone(cx, node, &client).await
}

/// Has the node delete what was deleted here, files included. Only the witness of a deletion counts:
/// a server that the node has and the data does not know may as well be the sign of data that was
/// put back from an old copy, or of another database, and its files are all that is left of it.
async fn delete_gone(cx: &Cx, node: NodeId, client: &NodeClient) -> Result<(), ReconcileError> {
    let deleted: HashSet<ServerUuid> = cx
        .store()
        .deleted_servers(node)
        .await?
        .into_iter()
        .collect();
    let known: HashSet<ServerUuid> = client
        .servers()
        .await?
        .into_iter()
        .filter_map(|known| known.configuration.map(|settings| settings.uuid))
        .collect();
    for &uuid in &known {
        if !deleted.contains(&uuid) && cx.store().server_by_uuid(uuid).await?.is_none() {
            tracing::warn!(
                server = %uuid,
                "the node has a server that the panel does not know; it is left alone with its files"
            );
        }
    }
    for uuid in deleted {
        if cx.store().server_by_uuid(uuid).await?.is_some() {
            continue;
        }
        if known.contains(&uuid) {
            match client.delete(uuid).await {
                Ok(()) => {
                    tracing::info!(server = %uuid, "a deleted server was removed from its node");
                }
                Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {}
                Err(error @ NodeError::Io(_)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(server = %uuid, %error, "the node did not delete the server");
                    continue;
                }
            }
        }
        let mut tx = cx.store().begin().await?;
        tx.forget_deleted_server(uuid).await?;
        tx.commit().await?;
    }
    Ok(())
}
