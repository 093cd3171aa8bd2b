//! Which node is spoken to in which way.

use std::collections::HashMap;
use std::sync::Arc;

use hatchery_node_proto::{NodeClient, NodeConnections, NodeToken};
use hatchery_store::Node;
use hatchery_vocab::NodeId;
use parking_lot::RwLock;

use crate::links::NodeAddress;

/// The ways to nodes: those that were registered, such as the one to the node inside this program,
/// and for all others HTTP to the address in their row. Clones share it all.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    registered: Arc<RwLock<HashMap<NodeId, NodeClient>>>,
    connections: NodeConnections,
}

impl Nodes {
    /// Without a registered node.
    pub fn new() -> Self {
        Self::default()
    }

    /// Speaks to `node` through `client` from now on.
    pub fn register(&self, node: NodeId, client: NodeClient) {
        self.registered.write().insert(node, client);
    }

    /// Forgets what was registered for a node.
    pub fn forget(&self, node: NodeId) {
        self.registered.write().remove(&node);
    }

    /// The client of a node. There is none for the embedded node while it has not registered, which
    /// is always so in a program that runs beside the panel, and for a node whose token no header
    /// can carry.
    ///
    /// A client is made anew for every call, so that a changed address or token counts at once; what
    /// is dear, the connections, is shared.
    pub fn client(&self, node: &Node) -> Option<NodeClient> {
        if let Some(client) = self.registered.read().get(&node.id) {
            return Some(client.clone());
        }
        if node.embedded {
            return None;
        }
        let service = self.connections.service(NodeAddress::of(node, "").as_str());
        NodeClient::new(service, NodeToken::new(node.daemon_token.expose())).ok()
    }
}
