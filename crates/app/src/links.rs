//! Addresses that carry their own permission (client-api.md §6).

use hatchery_node_proto::{NodeError, jwt};
use hatchery_store::Node;

use crate::access::Access;
use crate::{Cx, node_call};

/// How many random characters tell one token from another.
const UNIQUE_ID: usize = 16;

/// Where browsers reach a node. The routes of the embedded node are on the panel's own listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddress(String);

impl NodeAddress {
    /// The address of a node, as seen by someone who reached the panel at `panel`.
    pub fn of(node: &Node, panel: &str) -> Self {
        Self(if node.embedded {
            panel.to_owned()
        } else {
            format!("{}://{}:{}", node.scheme, node.fqdn, node.daemon_listen)
        })
    }

    /// Scheme, host and port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for WebSockets.
    pub fn for_sockets(&self) -> String {
        // `http` becomes `ws`, and so `https` becomes `wss`.
        self.0.replacen("http", "ws", 1)
    }

    /// A link to a route of the node that takes a token.
    pub fn link(&self, route: &str, token: &str) -> String {
        format!("{}{route}?token={token}", self.0)
    }
}

/// Signs a token for the node of the server.
pub(crate) fn issue<P, T: jwt::Purpose>(
    cx: &Cx,
    access: &Access<P>,
    address: &NodeAddress,
    panel: &str,
    purpose: T,
) -> Result<String, NodeError> {
    let node = node_call::client(cx, &access.server.node)?;
    let grant = jwt::Grant {
        issuer: panel,
        audience: address.as_str(),
        user: access.actor.user.uuid,
        user_id: access.actor.user.id,
        now: cx.now(),
        unique_id: cx.entropy().alphanumeric(UNIQUE_ID),
    };
    Ok(jwt::issue(node.token(), grant, purpose))
}
