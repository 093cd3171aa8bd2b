//! What a node asks of the panel and reports to it (node-protocol.md §2).
//!
//! Every verb takes the node that asks, and sees and changes only that node's servers
//! (CVE-2026-26016 in security.md).

mod activity;
mod backups;
mod configuration;
mod install;
mod placeholder;
mod reset;

use std::sync::Arc;

use hatchery_auth::SecretDigest;
use hatchery_store::{Node, Page, Paged, ServerSnapshot, StoreError};
use hatchery_vocab::{ServerUuid, ShortId};

pub use activity::{Reported, record};
pub use backups::{BackupCallError, report_backup, report_restore, upload_addresses};
pub use configuration::configuration;
pub use install::{install_script, report_install};
pub use reset::reset;

use crate::Cx;

/// The node that shows these credentials; nobody when they prove nothing.
pub async fn authenticate(
    cx: &Cx,
    token_id: &str,
    token: &str,
) -> Result<Option<Arc<Node>>, StoreError> {
    let node = cx.store().node_by_token_id(token_id).await?;
    Ok(node.filter(|node| SecretDigest::of(node.daemon_token.expose()).matches(token)))
}

/// A page of a node's servers, by id.
pub async fn servers(
    cx: &Cx,
    node: &Node,
    page: Page,
) -> Result<Paged<Arc<ServerSnapshot>>, StoreError> {
    cx.store().servers_of_node(node.id, page).await
}

/// A server by its UUID or short id, if it is on this node or on its way there.
pub async fn server(
    cx: &Cx,
    node: &Node,
    id: &str,
) -> Result<Option<Arc<ServerSnapshot>>, StoreError> {
    let server = if let Ok(uuid) = id.parse::<ServerUuid>() {
        cx.store().server_by_uuid(uuid).await?
    } else if let Ok(short) = id.parse::<ShortId>() {
        cx.store().server_by_short(short).await?
    } else {
        None
    };
    Ok(server.filter(|server| {
        server.node.id == node.id
            || server
                .transfer
                .is_some_and(|transfer| transfer.new_node == node.id)
    }))
}
