//! Nodes: machines on which servers run.

use std::sync::Arc;

use hatchery_vocab::{LocationId, MiB, NodeId, NodeUuid, Port, Timestamp};

use crate::sql::{Cells, cell, opt_cell, params, read_all, read_opt};
use crate::{Secret, Store, StoreError, Tx};

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// The row.
    pub id: NodeId,
    /// The public id.
    pub uuid: NodeUuid,
    /// Where it stands.
    pub location_id: LocationId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Whether it is the node inside this very program; at most one is.
    pub embedded: bool,
    /// Whether servers are put on it without being told to.
    pub public: bool,
    /// The host name or address that clients use.
    pub fqdn: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Whether a proxy stands before it.
    pub behind_proxy: bool,
    /// Whether it is under maintenance (client-api.md §1.8).
    pub maintenance_mode: bool,
    /// Memory for servers.
    pub memory: MiB,
    /// How much more memory than that may be promised, in percent; −1 is without limit.
    pub memory_overallocate: i64,
    /// Disk for servers.
    pub disk: MiB,
    /// How much more disk than that may be promised, in percent; −1 is without limit.
    pub disk_overallocate: i64,
    /// The largest upload.
    pub upload_size: MiB,
    /// Where servers' files are on the node.
    pub daemon_base: String,
    /// The port of its HTTP API.
    pub daemon_listen: Port,
    /// The port of its SFTP server.
    pub daemon_sftp: Port,
    /// The public half of the token between panel and node; unique.
    pub daemon_token_id: String,
    /// The secret half of that token.
    pub daemon_token: Secret,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What it takes to create a node. The fields are those of [`Node`].
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "documented at Node")]
pub struct NewNode {
    pub uuid: NodeUuid,
    pub location_id: LocationId,
    pub name: String,
    pub description: Option<String>,
    pub embedded: bool,
    pub public: bool,
    pub fqdn: String,
    pub scheme: String,
    pub behind_proxy: bool,
    pub maintenance_mode: bool,
    pub memory: MiB,
    pub memory_overallocate: i64,
    pub disk: MiB,
    pub disk_overallocate: i64,
    pub upload_size: MiB,
    pub daemon_base: String,
    pub daemon_listen: Port,
    pub daemon_sftp: Port,
    pub daemon_token_id: String,
    pub daemon_token: Secret,
}

const COLUMNS: &str = "id, uuid, location_id, name, description, embedded, public, fqdn, scheme, behind_proxy,
    maintenance_mode, memory, memory_overallocate, disk, disk_overallocate, upload_size, daemon_base,
    daemon_listen, daemon_sftp, daemon_token_id, daemon_token, created_at, updated_at";

fn read(cells: &mut Cells) -> Result<Node, StoreError> {
    Ok(Node {
        id: cells.take()?,
        uuid: cells.take()?,
        location_id: cells.take()?,
        name: cells.take()?,
        description: cells.take()?,
        embedded: cells.take()?,
        public: cells.take()?,
        fqdn: cells.take()?,
        scheme: cells.take()?,
        behind_proxy: cells.take()?,
        maintenance_mode: cells.take()?,
        memory: cells.take()?,
        memory_overallocate: cells.take()?,
        disk: cells.take()?,
        disk_overallocate: cells.take()?,
        upload_size: cells.take()?,
        daemon_base: cells.take()?,
        daemon_listen: cells.take()?,
        daemon_sftp: cells.take()?,
        daemon_token_id: cells.take()?,
        daemon_token: cells.take()?,
        created_at: cells.take()?,
        updated_at: cells.take()?,
    })
}

impl Store {
    /// A node. Cached.
    pub async fn node(&self, id: NodeId) -> Result<Option<Arc<Node>>, StoreError> {
        if let Some(node) = self.caches().nodes.get(&id) {
            return Ok(Some(node));
        }
        let generation = self.caches().generation();
        let sql = format!("SELECT {COLUMNS} FROM nodes WHERE id = $1");
        let node = read_opt(self.db().opt(&sql, &params![id]).await?, read)?.map(Arc::new);
        if let Some(node) = &node {
            self.caches().keep(generation, |caches| {
                caches.nodes.insert(id, Arc::clone(node));
            });
        }
        Ok(node)
    }

    /// The node of a token, by the token's public half. The caller compares the secret half.
    pub async fn node_by_token_id(&self, token_id: &str) -> Result<Option<Arc<Node>>, StoreError> {
        let sql = "SELECT id FROM nodes WHERE daemon_token_id = $1";
        self.node_found(opt_cell(self.db().opt(sql, &params![token_id]).await?)?)
            .await
    }

    /// The node with this public id.
    pub async fn node_by_uuid(&self, uuid: NodeUuid) -> Result<Option<Arc<Node>>, StoreError> {
        let sql = "SELECT id FROM nodes WHERE uuid = $1";
        self.node_found(opt_cell(self.db().opt(sql, &params![uuid]).await?)?)
            .await
    }

    /// The node inside this program.
    pub async fn embedded_node(&self) -> Result<Option<Arc<Node>>, StoreError> {
        let sql = "SELECT id FROM nodes WHERE embedded = TRUE";
        self.node_found(opt_cell(self.db().opt(sql, &[]).await?)?)
            .await
    }

    async fn node_found(&self, id: Option<NodeId>) -> Result<Option<Arc<Node>>, StoreError> {
        match id {
            Some(id) => self.node(id).await,
            None => Ok(None),
        }
    }

    /// All nodes.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM nodes ORDER BY id");
        read_all(self.db().scan(&sql, Vec::new()).await?, read)
    }
}

impl Tx {
    /// Creates a node.
    pub async fn create_node(&mut self, node: &NewNode) -> Result<NodeId, StoreError> {
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO nodes (uuid, location_id, name, description, embedded, public, fqdn, scheme,
                    behind_proxy, maintenance_mode, memory, memory_overallocate, disk, disk_overallocate,
                    upload_size, daemon_base, daemon_listen, daemon_sftp, daemon_token_id, daemon_token,
                    created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                    $19, $20, $21, $21) RETURNING id",
                &params![
                    node.uuid,
                    node.location_id,
                    node.name,
                    node.description,
                    node.embedded,
                    node.public,
                    node.fqdn,
                    node.scheme,
                    node.behind_proxy,
                    node.maintenance_mode,
                    node.memory,
                    node.memory_overallocate,
                    node.disk,
                    node.disk_overallocate,
                    node.upload_size,
                    node.daemon_base,
                    node.daemon_listen,
                    node.daemon_sftp,
                    node.daemon_token_id,
                    node.daemon_token,
                    now
                ],
            )
            .await?;
        let id = cell(row)?;
        self.changes.nodes.push(id);
        Ok(id)
    }

    /// Puts a node under maintenance, or back into service.
    pub async fn set_node_maintenance(&mut self, id: NodeId, on: bool) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE nodes SET maintenance_mode = $2, updated_at = $3 WHERE id = $1";
        let rows = self.db().exec(sql, &params![id, on, now]).await?;
        self.changes.nodes.push(id);
        Ok(rows > 0)
    }

    /// Changes how clients reach a node.
    pub async fn set_node_address(
        &mut self,
        id: NodeId,
        scheme: &str,
        fqdn: &str,
        listen: Port,
        sftp: Port,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let rows = self
            .db()
            .exec(
                "UPDATE nodes SET scheme = $2, fqdn = $3, daemon_listen = $4, daemon_sftp = $5, updated_at = $6
                 WHERE id = $1",
                &params![id, scheme, fqdn, listen, sftp, now],
            )
            .await?;
        self.changes.nodes.push(id);
        Ok(rows > 0)
    }
}
