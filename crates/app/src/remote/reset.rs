//! A node has started (node-protocol.md §2.7).

use hatchery_store::{ActivityEntry, Node, StoreError, Subject};
use serde_json::Map;

use crate::Cx;

/// Frees a node's servers from what cannot be going on any more, since the node has just started:
/// restorations, which are noted as failed, and installations over existing files. A first
/// installation stays as it is, for [`reconcile`](crate::servers::reconcile) takes it up again,
/// where the reference would hand over a half-installed server.
pub async fn reset(cx: &Cx, node: &Node) -> Result<(), StoreError> {
    let mut tx = cx.store().begin().await?;
    let restoring = tx.reset_node(node.id).await?;
    tx.commit().await?;
    for server in restoring {
        cx.store().record_activity(ActivityEntry {
            event: "server:backup.restore-failed".to_owned(),
            ip: None,
            description: None,
            actor: None,
            api_key: None,
            properties: Map::new(),
            subjects: vec![Subject::Server(server)],
            at: cx.now(),
        });
    }
    Ok(())
}
