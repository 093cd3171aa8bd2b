//! Everything that showing or running a server needs, in one value.

use std::sync::Arc;

use futures_util::future::try_join_all;
use hatchery_vocab::{
    CpuPercent, EggVariableId, MiB, NodeId, ServerId, ServerStatus, ServerUuid, ShortId, Swap,
    Timestamp, TransferId, UserId,
};

use crate::sql::{Cells, opt_cell, params, read_all};
use crate::{Allocation, EggSnapshot, EggVariable, Node, Store, StoreError};

/// A server as it was at one moment. Nothing in it changes: a change makes a new snapshot with a
/// greater revision. The node and the egg are shared among snapshots.
#[derive(Clone, Debug)]
pub struct ServerSnapshot {
    /// Greater than that of every earlier snapshot, of any server. Whatever is computed from a
    /// snapshot may be kept for as long as the revision is the same.
    pub revision: u64,
    /// The row.
    pub id: ServerId,
    /// The public id.
    pub uuid: ServerUuid,
    /// The first eight characters of the public id.
    pub short: ShortId,
    /// What another system calls the server.
    pub external_id: Option<String>,
    /// Who owns it.
    pub owner_id: UserId,
    /// Its name.
    pub name: String,
    /// What it is about; possibly empty.
    pub description: String,
    /// Why it is out of the ordinary, if it is.
    pub status: Option<ServerStatus>,
    /// Whether installing leaves out the egg's script.
    pub skip_scripts: bool,
    /// What its process may use.
    pub limits: ServerLimits,
    /// How much of the panel's features its users may use.
    pub feature_limits: FeatureLimits,
    /// The start line with its placeholders.
    pub startup: String,
    /// The container image.
    pub image: String,
    /// When it was first installed.
    pub installed_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The node it is on.
    pub node: Arc<Node>,
    /// Its egg.
    pub egg: Arc<EggSnapshot>,
    /// Its allocations in the order of their ids.
    pub allocations: Vec<Allocation>,
    /// The values of its own, in the order of the egg's variables; see [`Self::variables`].
    pub values: Vec<Option<String>>,
    /// The transfer that is under way.
    pub transfer: Option<OpenTransfer>,
}

/// What a server's process may use (client-api.md §4.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Memory; zero is unlimited.
    pub memory: MiB,
    /// Swap on top.
    pub swap: Swap,
    /// Disk; zero is unlimited.
    pub disk: MiB,
    /// The weight among the users of the disk, 10 to 1000.
    pub io: u16,
    /// Share of processors; zero is unlimited.
    pub cpu: CpuPercent,
    /// The processors to run on, such as `0,2-3`.
    pub threads: Option<String>,
    /// Whether running out of memory must not kill it.
    pub oom_disabled: bool,
}

/// How many of each a server may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureLimits {
    /// Databases; `None` is unlimited.
    pub databases: Option<u32>,
    /// Allocations; `None` is unlimited.
    pub allocations: Option<u32>,
    /// Backups.
    pub backups: u32,
}

/// A transfer to another node that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenTransfer {
    /// The row.
    pub id: TransferId,
    /// Where it goes.
    pub new_node: NodeId,
    /// Whether the old node has packed the files.
    pub archived: bool,
}

impl ServerSnapshot {
    /// The egg's variables in its order, each with the server's own value, if it has one.
    pub fn variables(&self) -> impl Iterator<Item = (&EggVariable, Option<&str>)> {
        self.egg
            .variables
            .iter()
            .zip(self.values.iter().map(Option::as_deref))
    }

    /// The primary allocation. Every server has one, unless somebody edited the database.
    pub fn primary_allocation(&self) -> Option<&Allocation> {
        self.allocations
            .iter()
            .find(|allocation| allocation.is_primary)
    }

    /// Roughly the memory that this snapshot alone takes.
    pub(crate) fn estimated_bytes(&self) -> u64 {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let allocations: usize = self
            .allocations
            .iter()
            .map(|a| size_of::<Allocation>() + a.ip.len() + text(&a.ip_alias) + text(&a.notes))
            .sum();
        let values: usize = self
            .values
            .iter()
            .map(|value| size_of::<Option<String>>() + text(value))
            .sum();
        let texts =
            self.name.len() + self.description.len() + self.startup.len() + self.image.len();
        (size_of::<Self>() + allocations + values + texts + text(&self.external_id)) as u64
    }
}

impl Store {
    /// A server. Cached: the same `Arc` until something in it changes.
    pub async fn server(&self, id: ServerId) -> Result<Option<Arc<ServerSnapshot>>, StoreError> {
        if let Some(snapshot) = self.caches().servers.get(&id) {
            return Ok(Some(snapshot));
        }
        let generation = self.caches().generation();
        let Some(snapshot) = self.load_server(id).await?.map(Arc::new) else {
            return Ok(None);
        };
        self.caches().keep(generation, |caches| {
            caches.servers.insert(id, Arc::clone(&snapshot));
        });
        Ok(Some(snapshot))
    }

    /// The server with this public id. Cached.
    pub async fn server_by_uuid(
        &self,
        uuid: ServerUuid,
    ) -> Result<Option<Arc<ServerSnapshot>>, StoreError> {
        let known = self.caches().by_uuid.get(&uuid);
        let id = match known {
            Some(id) => Some(id),
            None => opt_cell(
                self.db()
                    .opt("SELECT id FROM servers WHERE uuid = $1", &params![uuid])
                    .await?,
            )?,
        };
        let Some(id) = id else { return Ok(None) };
        if known.is_none() {
            self.caches().by_uuid.insert(uuid, id);
        }
        self.server(id).await
    }

    /// The server with this short id. Cached.
    pub async fn server_by_short(
        &self,
        short: ShortId,
    ) -> Result<Option<Arc<ServerSnapshot>>, StoreError> {
        let known = self.caches().by_short.get(&short);
        let id = match known {
            Some(id) => Some(id),
            None => opt_cell(
                self.db()
                    .opt("SELECT id FROM servers WHERE short = $1", &params![short])
                    .await?,
            )?,
        };
        let Some(id) = id else { return Ok(None) };
        if known.is_none() {
            self.caches().by_short.insert(short, id);
        }
        self.server(id).await
    }

    /// Servers in the order of the ids. Those that are gone are left out.
    pub async fn servers(&self, ids: &[ServerId]) -> Result<Vec<Arc<ServerSnapshot>>, StoreError> {
        let found = try_join_all(ids.iter().map(|id| self.server(*id))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn load_server(&self, id: ServerId) -> Result<Option<ServerSnapshot>, StoreError> {
        let sql = "SELECT s.node_id, s.egg_id, s.uuid, s.short, s.external_id, s.owner_id, s.name,
                s.description, s.status, s.skip_scripts, s.memory, s.swap, s.disk, s.io, s.cpu, s.threads,
                s.oom_disabled, s.database_limit, s.allocation_limit, s.backup_limit, s.startup, s.image,
                s.installed_at, s.created_at, s.updated_at, t.id, t.new_node, t.archived
            FROM servers s LEFT JOIN transfers t ON t.server_id = s.id AND t.successful IS NULL
            WHERE s.id = $1";
        let Some(row) = self.db().opt(sql, &params![id]).await? else {
            return Ok(None);
        };
        let mut cells = Cells::new(row);
        // References keep both alive; they are missing only if the server was deleted just now.
        let Some(node) = self.node(cells.take()?).await? else {
            return Ok(None);
        };
        let Some(egg) = self.egg(cells.take()?).await? else {
            return Ok(None);
        };
        let allocations = self.allocations_of(id).await?;
        let values = self.values_of(id, &egg.variables).await?;
        Ok(Some(ServerSnapshot {
            revision: self.caches().next_revision(),
            id,
            uuid: cells.take()?,
            short: cells.take()?,
            external_id: cells.take()?,
            owner_id: cells.take()?,
            name: cells.take()?,
            description: cells.take()?,
            status: cells.take()?,
            skip_scripts: cells.take()?,
            limits: ServerLimits {
                memory: cells.take()?,
                swap: cells.take()?,
                disk: cells.take()?,
                io: cells.take()?,
                cpu: cells.take()?,
                threads: cells.take()?,
                oom_disabled: cells.take()?,
            },
            feature_limits: FeatureLimits {
                databases: cells.take()?,
                allocations: cells.take()?,
                backups: cells.take()?,
            },
            startup: cells.take()?,
            image: cells.take()?,
            installed_at: cells.take()?,
            created_at: cells.take()?,
            updated_at: cells.take()?,
            transfer: match cells.take()? {
                Some(id) => Some(OpenTransfer {
                    id,
                    new_node: cells.take()?,
                    archived: cells.take()?,
                }),
                None => None,
            },
            node,
            egg,
            allocations,
            values,
        }))
    }

    /// A server's own values, in the order of the variables.
    async fn values_of(
        &self,
        server: ServerId,
        variables: &[EggVariable],
    ) -> Result<Vec<Option<String>>, StoreError> {
        let sql = "SELECT variable_id, value FROM server_variables WHERE server_id = $1";
        let rows = self.db().few(sql, &params![server]).await?;
        let mut stored: Vec<(EggVariableId, String)> =
            read_all(rows, |cells| Ok((cells.take()?, cells.take()?)))?;
        let value = |variable: &EggVariable| {
            let place = stored
                .iter()
                .position(|(stored, _)| *stored == variable.id)?;
            Some(stored.swap_remove(place).1)
        };
        Ok(variables.iter().map(value).collect())
    }
}
