//! The copies of rows that hot requests are answered from, and how they go stale.
//!
//! A copy is filled from the database and dropped by the [`Changes`] of a commit. Between reading
//! a row and keeping it, a commit may come in: every commit counts a generation, and what was read
//! in an older one is handed out but not kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hatchery_vocab::{EggId, NodeId, ServerId, ServerUuid, ShortId, UserId};
use parking_lot::RwLock;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::{
    Access, AccessibleServers, Changes, EggSnapshot, KeyActor, Node, ServerSnapshot, User,
};

/// Users, and API keys with their users.
const PEOPLE: usize = 10_000;
/// Pairs of a user and a server.
const ACCESS: usize = 50_000;
/// Nodes and eggs.
const SHARED: usize = 2_000;
/// Names of servers: UUIDs and short ids.
const NAMES: usize = 50_000;
/// Snapshots of servers, in bytes, estimated.
const SNAPSHOT_BYTES: u64 = 24 << 20;
/// What a snapshot takes at least, for the first guess at their number.
const SNAPSHOT_BYTES_LEAST: usize = 1024;
/// Lists of the servers that a user can reach, in ids.
const ACCESSIBLE_IDS: u64 = 1_000_000;

pub(crate) struct Caches {
    generation: RwLock<u64>,
    revisions: AtomicU64,
    pub(crate) users: Cache<UserId, Arc<User>>,
    pub(crate) actors: Cache<String, Arc<KeyActor>>,
    pub(crate) nodes: Cache<NodeId, Arc<Node>>,
    pub(crate) eggs: Cache<EggId, Arc<EggSnapshot>>,
    pub(crate) servers: Cache<ServerId, Arc<ServerSnapshot>, SnapshotBytes>,
    /// A server keeps its UUID for ever and ids are never used twice, so these never go stale.
    pub(crate) by_uuid: Cache<ServerUuid, ServerId>,
    pub(crate) by_short: Cache<ShortId, ServerId>,
    pub(crate) access: Cache<(UserId, ServerId), Arc<Access>>,
    pub(crate) accessible: Cache<UserId, Arc<AccessibleServers>, ListedIds>,
}

#[derive(Clone)]
pub(crate) struct SnapshotBytes;

impl Weighter<ServerId, Arc<ServerSnapshot>> for SnapshotBytes {
    fn weight(&self, _: &ServerId, snapshot: &Arc<ServerSnapshot>) -> u64 {
        snapshot.estimated_bytes()
    }
}

#[derive(Clone)]
pub(crate) struct ListedIds;

impl Weighter<UserId, Arc<AccessibleServers>> for ListedIds {
    fn weight(&self, _: &UserId, servers: &Arc<AccessibleServers>) -> u64 {
        // Never zero: such an entry could never be put out.
        1 + servers.all.len() as u64 + servers.owned.len() as u64
    }
}

impl Caches {
    pub(crate) fn new() -> Self {
        let snapshots =
            usize::try_from(SNAPSHOT_BYTES).unwrap_or(usize::MAX) / SNAPSHOT_BYTES_LEAST;
        Self {
            generation: RwLock::new(0),
            revisions: AtomicU64::new(0),
            users: Cache::new(PEOPLE),
            actors: Cache::new(PEOPLE),
            nodes: Cache::new(SHARED),
            eggs: Cache::new(SHARED),
            servers: Cache::with_weighter(snapshots, SNAPSHOT_BYTES, SnapshotBytes),
            by_uuid: Cache::new(NAMES),
            by_short: Cache::new(NAMES),
            access: Cache::new(ACCESS),
            accessible: Cache::with_weighter(PEOPLE, ACCESSIBLE_IDS, ListedIds),
        }
    }

    /// To be noted before the database is read.
    pub(crate) fn generation(&self) -> u64 {
        *self.generation.read()
    }

    /// Keeps what was read in that generation, unless something was committed since.
    pub(crate) fn keep(&self, read_in: u64, put: impl FnOnce(&Self)) {
        let generation = self.generation.read();
        if *generation == read_in {
            put(self);
        }
    }

    /// A number that no earlier snapshot had.
    pub(crate) fn next_revision(&self) -> u64 {
        self.revisions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Drops what a commit made stale.
    pub(crate) fn apply(&self, changes: &Changes) {
        if changes.everything {
            return self.clear();
        }
        let mut generation = self.generation.write();
        *generation += 1;
        for user in &changes.users {
            self.users.remove(user);
            self.accessible.remove(user);
        }
        if !changes.users.is_empty() {
            let stays = |user: &UserId| !changes.users.contains(user);
            self.actors.retain(|_, actor| stays(&actor.key.user_id));
            self.access.retain(|(user, _), _| stays(user));
        }
        for identifier in &changes.api_keys {
            self.actors.remove(identifier);
        }
        for server in &changes.servers {
            self.servers.remove(server);
        }
        for (user, server) in &changes.access {
            self.access.remove(&(*user, *server));
            self.accessible.remove(user);
        }
        for node in &changes.nodes {
            self.nodes.remove(node);
        }
        if !changes.eggs.is_empty() {
            self.eggs.clear();
        }
        if !changes.nodes.is_empty() || !changes.eggs.is_empty() {
            self.servers.clear();
        }
    }

    /// Drops everything: somebody else wrote to the database.
    pub(crate) fn clear(&self) {
        let mut generation = self.generation.write();
        *generation += 1;
        self.users.clear();
        self.actors.clear();
        self.nodes.clear();
        self.eggs.clear();
        self.servers.clear();
        self.by_uuid.clear();
        self.by_short.clear();
        self.access.clear();
        self.accessible.clear();
    }
}
