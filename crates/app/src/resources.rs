//! What a server uses right now, asked of its node at most every twenty seconds.

use std::sync::Arc;
use std::time::Duration;

use hatchery_node_proto::{NodeError, ServerDetails, ServerIdentity};
use hatchery_vocab::{ServerId, Timestamp};
use quick_cache::sync::Cache;

use crate::access::Access;
use crate::{Cx, node_call};

/// How long an answer of a node stands for all readers (client-api.md §3.3.3).
const FRESH_FOR: Duration = Duration::from_secs(20);
/// For how many servers answers are kept.
const KEPT: usize = 10_000;

/// What a node tells of a server.
pub type Details = ServerDetails<ServerIdentity>;

/// The last answers of nodes.
#[derive(Debug)]
pub(crate) struct ResourceCache(Cache<ServerId, (Timestamp, Arc<Details>)>);

impl ResourceCache {
    pub(crate) fn new() -> Self {
        Self(Cache::new(KEPT))
    }
}

/// What a server does and uses. Failures are not kept.
pub async fn of<P>(cx: &Cx, access: &Access<P>) -> Result<Arc<Details>, NodeError> {
    let (server, now) = (&access.server, cx.now());
    let cache = &cx.resources().0;
    if let Some((asked, details)) = cache.get(&server.id)
        && now.since(asked) < FRESH_FOR
    {
        return Ok(details);
    }
    let details = Arc::new(
        node_call::client(cx, &server.node)?
            .details(server.uuid)
            .await?,
    );
    cache.insert(server.id, (now, Arc::clone(&details)));
    Ok(details)
}
