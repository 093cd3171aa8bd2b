//! Servers: which ones someone sees, creating them, keeping them in step with their nodes.

mod create;
mod reconcile;
pub mod settings;

use std::sync::Arc;

use hatchery_store::{Paged, ServerQuery, ServerSnapshot, StoreError, Subuser, User};
use hatchery_vocab::ServerId;

pub use create::{CreateServerError, Created, NewServer, create};
pub use reconcile::{ReconcileError, reconcile};

use crate::access::Standing;
use crate::{Actor, Cx};

/// A server in a list, with the reader's standing towards it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The server.
    pub server: Arc<ServerSnapshot>,
    /// The reader's standing.
    pub standing: Arc<Standing>,
}

/// A page of servers. Who may see which is settled by the query's scope.
pub async fn list(
    cx: &Cx,
    actor: &Actor,
    query: &ServerQuery,
) -> Result<Paged<Listed>, StoreError> {
    let servers = cx.store().list_servers(query).await?;
    let mut items = Vec::with_capacity(servers.items.len());
    for server in servers.items {
        // It is missing only when it was taken away just now.
        if let Some(standing) = cx.store().access(actor.user.id, server.id).await? {
            items.push(Listed { server, standing });
        }
    }
    Ok(Paged {
        total: servers.total,
        items,
    })
}

/// The other people who may use a server, oldest first.
pub async fn subusers(cx: &Cx, server: ServerId) -> Result<Vec<(Subuser, Arc<User>)>, StoreError> {
    cx.store().subusers_of(server).await
}
