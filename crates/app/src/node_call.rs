//! Speaking to the node of a server.

use hatchery_node_proto::{NodeClient, NodeError, NodeIoError};
use hatchery_store::Node;

use crate::Cx;

/// The client of a node. A node that there is no way to is one that cannot be reached.
pub(crate) fn client(cx: &Cx, node: &Node) -> Result<NodeClient, NodeError> {
    cx.nodes().client(node).ok_or_else(|| {
        NodeError::Io(NodeIoError::Unreachable(
            "no way to this node is known".to_owned(),
        ))
    })
}
