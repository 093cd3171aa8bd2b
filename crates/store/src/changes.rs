//! What a transaction has made stale.

use hatchery_vocab::{EggId, NodeId, ServerId, UserId};

/// What a commit changed, as far as anybody keeps copies of it. Caches drop it before the commit
/// returns; the caller may tell others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Users of whom something changed, or who are gone.
    pub users: Vec<UserId>,
    /// Identifiers of API keys that changed or are gone.
    pub api_keys: Vec<String>,
    /// Servers of which something changed, or which are gone.
    pub servers: Vec<ServerId>,
    /// Pairs of which the first may have won, changed or lost access to the second.
    pub access: Vec<(UserId, ServerId)>,
    /// Nodes of which something changed. All their servers did, too.
    pub nodes: Vec<NodeId>,
    /// Eggs of which something changed. All their servers did, too, and eggs that inherit from them.
    pub eggs: Vec<EggId>,
    /// Whether anything else may have changed as well, as by an import.
    pub everything: bool,
}
