//! Which node is spoken to through which client.

use std::collections::HashMap;
use std::sync::Arc;

use hatchery_node_proto::NodeClient;
use hatchery_vocab::NodeId;
use parking_lot::RwLock;

/// The nodes that this panel can speak to. Clones share the registry.
#[derive(Clone, Debug, Default)]
pub struct Nodes(Arc<RwLock<HashMap<NodeId, NodeClient>>>);

impl Nodes {
    /// A registry without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Speaks to `node` through `client` from now on.
    pub fn register(&self, node: NodeId, client: NodeClient) {
        self.0.write().insert(node, client);
    }

    /// Forgets a node.
    pub fn forget(&self, node: NodeId) {
        self.0.write().remove(&node);
    }

    /// The client of a node.
    pub fn client(&self, node: NodeId) -> Option<NodeClient> {
        self.0.read().get(&node).cloned()
    }
}
