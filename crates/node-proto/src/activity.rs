//! What people did on a node, told to the panel in batches (node-protocol.md §2.9 and §10).

use hatchery_vocab::{ServerUuid, UserUuid};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One thing that somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityEntry {
    /// Who, if it is known.
    pub user: Option<UserUuid>,
    /// On which server.
    pub server: ServerUuid,
    /// What, such as `server:power.start`.
    pub event: String,
    /// Details.
    pub metadata: Option<Map<String, Value>>,
    /// From where, without a port.
    pub ip: String,
    /// When: RFC 3339 in UTC.
    pub timestamp: String,
}

/// The body of the route: entries in an envelope.
#[derive(Debug, Serialize)]
pub(crate) struct Batch<'a> {
    pub(crate) data: &'a [ActivityEntry],
}
