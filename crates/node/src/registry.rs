//! The servers of this node.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use hatchery_vocab::ServerUuid;
use parking_lot::RwLock;

use crate::server::Server;

/// The servers of this node by their UUID.
#[derive(Debug, Default)]
pub(crate) struct Registry(RwLock<HashMap<ServerUuid, Arc<Server>>>);

impl Registry {
    pub(crate) fn get(&self, server: ServerUuid) -> Option<Arc<Server>> {
        self.0.read().get(&server).cloned()
    }

    /// All servers in the order of their UUIDs.
    pub(crate) fn all(&self) -> Vec<Arc<Server>> {
        let mut all: Vec<_> = self.0.read().values().cloned().collect();
        all.sort_by_key(|server| server.uuid());
        all
    }

    /// Adds the server that `make` makes; `None`, without making it, when there is one of this UUID
    /// already.
    pub(crate) fn add<E>(
        &self,
        server: ServerUuid,
        make: impl FnOnce() -> Result<Arc<Server>, E>,
    ) -> Result<Option<Arc<Server>>, E> {
        match self.0.write().entry(server) {
            Entry::Occupied(_) => Ok(None),
            Entry::Vacant(place) => Ok(Some(Arc::clone(place.insert(make()?)))),
        }
    }

    pub(crate) fn remove(&self, server: ServerUuid) {
        self.0.write().remove(&server);
    }
}
