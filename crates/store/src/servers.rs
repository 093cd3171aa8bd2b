//! Servers, as they are created and changed. Reading them is in `snapshot` and `server_list`.

use std::sync::Arc;

use hatchery_vocab::{
    AllocationId, EggId, EggVariableId, NodeId, ServerId, ServerStatus, ServerUuid, UserId,
};

use crate::sql::{cell, column, params, read_opt};
use crate::{FeatureLimits, Page, Paged, ServerLimits, ServerSnapshot, Store, StoreError, Tx};

/// What it takes to create a server. It starts with the status `installing`, unless told otherwise.
#[derive(Clone, Debug)]
pub struct NewServer {
    /// The public id.
    pub uuid: ServerUuid,
    /// What another system calls it.
    pub external_id: Option<String>,
    /// The node it is on.
    pub node_id: NodeId,
    /// Who owns it.
    pub owner_id: UserId,
    /// Its egg.
    pub egg_id: EggId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// The status to start with.
    pub status: Option<ServerStatus>,
    /// Whether installing leaves out the egg's script.
    pub skip_scripts: bool,
    /// What its process may use.
    pub limits: ServerLimits,
    /// How much of the panel's features its users may use.
    pub feature_limits: FeatureLimits,
    /// The start line.
    pub startup: String,
    /// The container image.
    pub image: String,
    /// Free allocations of the node; the first one becomes the primary one.
    pub allocations: Vec<AllocationId>,
    /// Values of the egg's variables; those left out have the default.
    pub variables: Vec<(EggVariableId, String)>,
}

impl Store {
    /// The servers of a node, by id.
    pub async fn servers_of_node(
        &self,
        node: NodeId,
        page: Page,
    ) -> Result<Paged<Arc<ServerSnapshot>>, StoreError> {
        let sql = "SELECT COUNT(*) FROM servers WHERE node_id = $1";
        let total = self
            .db()
            .scan(sql, params![node].to_vec())
            .await?
            .into_iter()
            .next()
            .map_or(Ok(0), cell)?;
        let sql = "SELECT id FROM servers WHERE node_id = $1 ORDER BY id LIMIT $2 OFFSET $3";
        let rows = self
            .db()
            .scan(sql, params![node, page.size, page.offset()].to_vec())
            .await?;
        let ids: Vec<ServerId> = column(rows)?;
        Ok(Paged {
            total,
            items: self.servers(&ids).await?,
        })
    }

    /// The servers of a node with this status, by id.
    pub async fn servers_in_status(
        &self,
        node: NodeId,
        status: ServerStatus,
    ) -> Result<Vec<ServerId>, StoreError> {
        let sql = "SELECT id FROM servers WHERE node_id = $1 AND status = $2 ORDER BY id";
        column(self.db().scan(sql, params![node, status].to_vec()).await?)
    }

    /// How many servers there are.
    pub async fn count_servers(&self) -> Result<u64, StoreError> {
        let rows = self
            .db()
            .scan("SELECT COUNT(*) FROM servers", Vec::new())
            .await?;
        rows.into_iter().next().map_or(Ok(0), cell)
    }
}

/// The key of a setting that bears witness that a server was deleted.
const DELETED: &str = "server:deleted:";

impl Store {
    /// The servers that were deleted on purpose while they were on this node, which may still have
    /// their files. A server that is merely unknown is never among them, whatever became of the
    /// data: files are taken away only for what is named here.
    pub async fn deleted_servers(&self, node: NodeId) -> Result<Vec<ServerUuid>, StoreError> {
        let node = node.to_string();
        let witnesses = self.settings_beginning(DELETED).await?;
        let of_node = witnesses.into_iter().filter(|(_, value)| *value == node);
        Ok(of_node
            .filter_map(|(key, _)| key.strip_prefix(DELETED)?.parse().ok())
            .collect())
    }
}

impl Tx {
    /// Forgets that a server was deleted: its node has no files of it any more.
    pub async fn forget_deleted_server(&mut self, uuid: ServerUuid) -> Result<(), StoreError> {
        self.take_setting(&format!("{DELETED}{uuid}")).await?;
        Ok(())
    }

    /// A new UUID whose short form no server has.
    pub async fn new_server_uuid(&mut self) -> Result<ServerUuid, StoreError> {
        loop {
            let uuid = ServerUuid::new(self.entropy().uuid());
            let sql = "SELECT id FROM servers WHERE short = $1";
            // Four thousand million short ids: with a million servers one draw in 4000 is repeated.
            if self.db().opt(sql, &params![uuid.short()]).await?.is_none() {
                return Ok(uuid);
            }
        }
    }

    /// Creates a server with its allocations and variables.
    ///
    /// # Errors
    /// [`StoreError::AllocationTaken`] when an allocation is not free on the node.
    pub async fn create_server(&mut self, server: &NewServer) -> Result<ServerId, StoreError> {
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO servers (uuid, short, external_id, node_id, owner_id, egg_id, name, description,
                    status, skip_scripts, memory, swap, disk, io, cpu, threads, oom_disabled, startup, image,
                    database_limit, allocation_limit, backup_limit, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                    $19, $20, $21, $22, $23, $23) RETURNING id",
                &params![
                    server.uuid,
                    server.uuid.short(),
                    server.external_id,
                    server.node_id,
                    server.owner_id,
                    server.egg_id,
                    server.name,
                    server.description,
                    server.status,
                    server.skip_scripts,
                    server.limits.memory,
                    server.limits.swap,
                    server.limits.disk,
                    server.limits.io,
                    server.limits.cpu,
                    server.limits.threads,
                    server.limits.oom_disabled,
                    server.startup,
                    server.image,
                    server.feature_limits.databases,
                    server.feature_limits.allocations,
                    server.feature_limits.backups,
                    now
                ],
            )
            .await?;
        let id = cell(row)?;
        self.forget_deleted_server(server.uuid).await?;
        self.assign_allocations(id, &server.allocations, true)
            .await?;
        for (variable, value) in &server.variables {
            self.set_server_variable(id, *variable, value).await?;
        }
        self.changes.access.push((server.owner_id, id));
        Ok(id)
    }

    /// Changes what the panel allows a server.
    pub async fn set_server_status(
        &mut self,
        id: ServerId,
        status: Option<ServerStatus>,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE servers SET status = $2, updated_at = $3 WHERE id = $1";
        let rows = self.db().exec(sql, &params![id, status, now]).await?;
        self.changes.servers.push(id);
        Ok(rows > 0)
    }

    /// Changes the status only if it is the expected one, and tells whether it was. Two reports
    /// about the same server cannot overtake each other this way.
    pub async fn move_server_status(
        &mut self,
        id: ServerId,
        from: Option<ServerStatus>,
        to: Option<ServerStatus>,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let rows = self
            .db()
            .exec(
                "UPDATE servers SET status = $3, updated_at = $4
                 WHERE id = $1 AND COALESCE(status, '') = COALESCE($2, '')",
                &params![id, from, to, now],
            )
            .await?;
        self.changes.servers.push(id);
        Ok(rows > 0)
    }

    /// Ends an installation: the status, and the time if it is the first that was successful.
    pub async fn set_server_installed(
        &mut self,
        id: ServerId,
        status: Option<ServerStatus>,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let rows = self
            .db()
            .exec(
                "UPDATE servers SET status = $2, installed_at = COALESCE(installed_at, $3), updated_at = $3
                 WHERE id = $1",
                &params![id, status, now],
            )
            .await?;
        self.changes.servers.push(id);
        Ok(rows > 0)
    }

    /// Frees the servers of a node from restorations and from installations over existing files,
    /// and returns those that were being restored. First installations stay as they are.
    pub async fn reset_node(&mut self, node: NodeId) -> Result<Vec<ServerId>, StoreError> {
        let now = self.now();
        let sql =
            "UPDATE servers SET status = NULL, updated_at = $3 WHERE node_id = $1 AND status = $2
            RETURNING id";
        let restoring = params![node, ServerStatus::RestoringBackup, now];
        let restored: Vec<ServerId> = column(self.db().few(sql, &restoring).await?)?;
        let sql = "UPDATE servers SET status = NULL, updated_at = $3
            WHERE node_id = $1 AND status = $2 AND installed_at IS NOT NULL RETURNING id";
        let installing = params![node, ServerStatus::Installing, now];
        let reinstalled: Vec<ServerId> = column(self.db().few(sql, &installing).await?)?;
        self.changes
            .servers
            .extend(restored.iter().chain(&reinstalled));
        Ok(restored)
    }

    /// Changes a server's name and description.
    pub async fn rename_server(
        &mut self,
        id: ServerId,
        name: &str,
        description: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE servers SET name = $2, description = $3, updated_at = $4 WHERE id = $1";
        let rows = self
            .db()
            .exec(sql, &params![id, name, description, now])
            .await?;
        self.changes.servers.push(id);
        Ok(rows > 0)
    }

    /// Changes a server's container image.
    pub async fn set_server_image(
        &mut self,
        id: ServerId,
        image: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE servers SET image = $2, updated_at = $3 WHERE id = $1";
        let rows = self.db().exec(sql, &params![id, image, now]).await?;
        self.changes.servers.push(id);
        Ok(rows > 0)
    }

    /// Changes how many of each thing a server may have.
    pub async fn set_feature_limits(
        &mut self,
        id: ServerId,
        limits: FeatureLimits,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let sql =
            "UPDATE servers SET database_limit = $2, allocation_limit = $3, backup_limit = $4,
            updated_at = $5 WHERE id = $1";
        let values = params![
            id,
            limits.databases,
            limits.allocations,
            limits.backups,
            now
        ];
        let rows = self.db().exec(sql, &values).await?;
        self.changes.servers.push(id);
        Ok(rows > 0)
    }

    /// Gives a server a value of its own for a variable of its egg. `false` when the egg has no
    /// such variable.
    pub async fn set_server_variable(
        &mut self,
        id: ServerId,
        variable: EggVariableId,
        value: &str,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT v.id FROM egg_variables v JOIN servers s ON s.egg_id = v.egg_id
            WHERE s.id = $1 AND v.id = $2";
        if self.db().opt(sql, &params![id, variable]).await?.is_none() {
            return Ok(false);
        }
        self.db()
            .exec(
                "INSERT INTO server_variables (server_id, variable_id, value) VALUES ($1, $2, $3)
                 ON CONFLICT (server_id, variable_id) DO UPDATE SET value = excluded.value",
                &params![id, variable, value],
            )
            .await?;
        self.changes.servers.push(id);
        Ok(true)
    }

    /// Deletes a server with all that is its own, and frees its allocations. That it was deleted is
    /// remembered for its node ([`Store::deleted_servers`]). Fails by reference while it has
    /// databases: those must go from their hosts first.
    pub async fn delete_server(&mut self, id: ServerId) -> Result<bool, StoreError> {
        let sql = "SELECT owner_id, uuid, node_id FROM servers WHERE id = $1";
        let row = self.db().opt(sql, &params![id]).await?;
        let found: Option<(UserId, ServerUuid, NodeId)> = read_opt(row, |cells| {
            Ok((cells.take()?, cells.take()?, cells.take()?))
        })?;
        let Some((owner, uuid, node)) = found else {
            return Ok(false);
        };
        self.set_setting(&format!("{DELETED}{uuid}"), &node.to_string())
            .await?;
        let sql = "SELECT user_id FROM subusers WHERE server_id = $1";
        let mut users: Vec<UserId> = column(self.db().few(sql, &params![id]).await?)?;
        users.push(owner);
        self.release_allocations(id).await?;
        self.db()
            .exec("DELETE FROM servers WHERE id = $1", &params![id])
            .await?;
        self.changes.servers.push(id);
        self.changes
            .access
            .extend(users.into_iter().map(|user| (user, id)));
        Ok(true)
    }
}
