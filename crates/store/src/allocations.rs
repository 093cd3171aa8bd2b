//! Allocations: an address and a port of a node that a server may listen on.

use hatchery_vocab::{AllocationId, NodeId, Port, ServerId};

use crate::sql::{Cells, params, read_all};
use crate::{Store, StoreError, Tx};

/// An address and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The row.
    pub id: AllocationId,
    /// Whose machine it is on.
    pub node_id: NodeId,
    /// The address.
    pub ip: String,
    /// What people are told instead of the address.
    pub ip_alias: Option<String>,
    /// The port.
    pub port: Port,
    /// The server that has it.
    pub server_id: Option<ServerId>,
    /// Whether it is that server's primary one.
    pub is_primary: bool,
    /// What a user noted down.
    pub notes: Option<String>,
}

const COLUMNS: &str = "id, node_id, ip, ip_alias, port, server_id, is_primary, notes";

pub(crate) fn read(cells: &mut Cells) -> Result<Allocation, StoreError> {
    Ok(Allocation {
        id: cells.take()?,
        node_id: cells.take()?,
        ip: cells.take()?,
        ip_alias: cells.take()?,
        port: cells.take()?,
        server_id: cells.take()?,
        is_primary: cells.take()?,
        notes: cells.take()?,
    })
}

impl Store {
    /// The first free allocations of a node.
    pub async fn free_allocations(
        &self,
        node: NodeId,
        limit: u64,
    ) -> Result<Vec<Allocation>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM allocations WHERE node_id = $1 AND server_id IS NULL ORDER BY id LIMIT $2"
        );
        read_all(self.db().few(&sql, &params![node, limit]).await?, read)
    }

    pub(crate) async fn allocations_of(
        &self,
        server: ServerId,
    ) -> Result<Vec<Allocation>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM allocations WHERE server_id = $1 ORDER BY id");
        read_all(self.db().few(&sql, &params![server]).await?, read)
    }
}

impl Tx {
    /// A node's allocations with this port, on whichever address.
    pub async fn allocations_by_port(
        &mut self,
        node: NodeId,
        port: Port,
    ) -> Result<Vec<Allocation>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM allocations WHERE node_id = $1 AND port = $2 ORDER BY id"
        );
        read_all(self.db().few(&sql, &params![node, port]).await?, read)
    }

    /// Creates allocations for all these ports, both ends included. Those that exist stay as they
    /// are. Tells how many are new.
    pub async fn create_allocations(
        &mut self,
        node: NodeId,
        ip: &str,
        alias: Option<&str>,
        first: Port,
        last: Port,
    ) -> Result<u64, StoreError> {
        let now = self.now();
        let mut created = 0;
        for port in first.get()..=last.get() {
            created += self
                .db()
                .exec(
                    "INSERT INTO allocations (node_id, ip, ip_alias, port, is_primary, created_at, updated_at)
                     VALUES ($1, $2, $3, $4, FALSE, $5, $5) ON CONFLICT (node_id, ip, port) DO NOTHING",
                    &params![node, ip, alias, port, now],
                )
                .await?;
        }
        Ok(created)
    }

    /// Gives free allocations of the server's own node to it; the first becomes the primary one if
    /// `primary` says so.
    ///
    /// # Errors
    /// [`StoreError::AllocationTaken`] when one is missing, of another node, or not free.
    pub async fn assign_allocations(
        &mut self,
        server: ServerId,
        allocations: &[AllocationId],
        primary: bool,
    ) -> Result<(), StoreError> {
        let now = self.now();
        for (index, allocation) in allocations.iter().enumerate() {
            let rows = self
                .db()
                .exec(
                    "UPDATE allocations SET server_id = $2, is_primary = $3, updated_at = $4
                     WHERE id = $1 AND server_id IS NULL
                       AND node_id = (SELECT node_id FROM servers WHERE id = $2)",
                    &params![allocation, server, primary && index == 0, now],
                )
                .await?;
            if rows == 0 {
                return Err(StoreError::AllocationTaken);
            }
        }
        self.changes.servers.push(server);
        Ok(())
    }

    /// Makes sure that a server has less than `limit` allocations, and that until this transaction
    /// ends nobody else gives any of its node to a server.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`].
    pub async fn reserve_allocation(
        &mut self,
        server: ServerId,
        node: NodeId,
        limit: u64,
    ) -> Result<(), StoreError> {
        let lock = "UPDATE nodes SET updated_at = updated_at WHERE id = $1";
        self.db().exec(lock, &params![node]).await?;
        self.within_limit(
            "UPDATE servers SET updated_at = updated_at WHERE id = $1",
            "SELECT COUNT(*) FROM allocations WHERE server_id = $1",
            server,
            limit,
        )
        .await
    }

    /// A node's allocations with this address: their ports, and which of them is free.
    pub async fn ports_of_address(
        &mut self,
        node: NodeId,
        ip: &str,
    ) -> Result<Vec<(Port, Option<AllocationId>)>, StoreError> {
        let sql = "SELECT port, CASE WHEN server_id IS NULL THEN id END FROM allocations
            WHERE node_id = $1 AND ip = $2 ORDER BY id";
        read_all(self.db().few(sql, &params![node, ip]).await?, |cells| {
            Ok((cells.take()?, cells.take()?))
        })
    }

    /// Changes what is noted down of a server's allocation.
    pub async fn set_allocation_notes(
        &mut self,
        server: ServerId,
        id: AllocationId,
        notes: Option<&str>,
    ) -> Result<bool, StoreError> {
        let sql =
            "UPDATE allocations SET notes = $3, updated_at = $4 WHERE server_id = $1 AND id = $2";
        let now = self.now();
        let rows = self
            .db()
            .exec(sql, &params![server, id, notes, now])
            .await?;
        self.changes.servers.push(server);
        Ok(rows > 0)
    }

    /// Makes one of a server's allocations the primary one. `false` when it is none of them, and
    /// then the transaction is not to be committed.
    pub async fn set_primary_allocation(
        &mut self,
        server: ServerId,
        id: AllocationId,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        // The server's row is touched first: of two at once, the second waits for the first.
        let lock = "UPDATE servers SET updated_at = $2 WHERE id = $1";
        self.db().exec(lock, &params![server, now]).await?;
        let clear = "UPDATE allocations SET is_primary = FALSE, updated_at = $2
            WHERE server_id = $1 AND is_primary";
        self.db().exec(clear, &params![server, now]).await?;
        let set = "UPDATE allocations SET is_primary = TRUE, updated_at = $3
            WHERE server_id = $1 AND id = $2";
        let rows = self.db().exec(set, &params![server, id, now]).await?;
        self.changes.servers.push(server);
        Ok(rows > 0)
    }

    /// Takes an allocation away from a server, notes included, unless it is the primary one.
    pub async fn release_allocation(
        &mut self,
        server: ServerId,
        id: AllocationId,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE allocations SET server_id = NULL, notes = NULL, updated_at = $3
            WHERE server_id = $1 AND id = $2 AND NOT is_primary";
        let rows = self.db().exec(sql, &params![server, id, now]).await?;
        self.changes.servers.push(server);
        Ok(rows > 0)
    }

    /// Takes all allocations away from a server, notes included.
    pub(crate) async fn release_allocations(&mut self, server: ServerId) -> Result<(), StoreError> {
        let now = self.now();
        self.db()
            .exec(
                "UPDATE allocations SET server_id = NULL, is_primary = FALSE, notes = NULL, updated_at = $2
                 WHERE server_id = $1",
                &params![server, now],
            )
            .await?;
        Ok(())
    }
}
