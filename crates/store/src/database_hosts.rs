//! Database hosts: servers of MySQL or PostgreSQL on which game servers may have databases.

use hatchery_vocab::{DatabaseEngine, DatabaseHostId, NodeId, Port, Timestamp};

use crate::sql::{Cells, cell, params, read_all, read_opt};
use crate::{Secret, Store, StoreError, Tx};

/// A database host.
#[derive(Clone, Debug)]
pub struct DatabaseHost {
    /// The row.
    pub id: DatabaseHostId,
    /// Its name, for people.
    pub name: String,
    /// What kind of server it is.
    pub engine: DatabaseEngine,
    /// Its address or name, for the panel and for games alike.
    pub host: String,
    /// Its port.
    pub port: Port,
    /// The account that makes others.
    pub username: String,
    /// That account's password.
    pub password: Secret,
    /// How many databases an administrator wants on it.
    pub max_databases: Option<u32>,
    /// The node whose servers use it first.
    pub node_id: Option<NodeId>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What it takes to add a database host. The fields are those of [`DatabaseHost`].
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "documented at DatabaseHost")]
pub struct NewDatabaseHost {
    pub name: String,
    pub engine: DatabaseEngine,
    pub host: String,
    pub port: Port,
    pub username: String,
    pub password: Secret,
    pub max_databases: Option<u32>,
    pub node_id: Option<NodeId>,
}

const COLUMNS: &str = "id, name, engine, host, port, username, password, max_databases, node_id,
    created_at, updated_at";

fn read(cells: &mut Cells) -> Result<DatabaseHost, StoreError> {
    Ok(DatabaseHost {
        id: cells.take()?,
        name: cells.take()?,
        engine: cells.take()?,
        host: cells.take()?,
        port: cells.take()?,
        username: cells.take()?,
        password: cells.take()?,
        max_databases: cells.take()?,
        node_id: cells.take()?,
        created_at: cells.take()?,
        updated_at: cells.take()?,
    })
}

impl Store {
    /// A database host.
    pub async fn database_host(
        &self,
        id: DatabaseHostId,
    ) -> Result<Option<DatabaseHost>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM database_hosts WHERE id = $1");
        read_opt(self.db().opt(&sql, &params![id]).await?, read)
    }

    /// All database hosts, oldest first.
    pub async fn database_hosts(&self) -> Result<Vec<DatabaseHost>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM database_hosts ORDER BY id");
        read_all(self.db().few(&sql, &params![]).await?, read)
    }
}

impl Tx {
    /// Adds a database host.
    pub async fn create_database_host(
        &mut self,
        host: &NewDatabaseHost,
    ) -> Result<DatabaseHostId, StoreError> {
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO database_hosts (name, engine, host, port, username, password,
                    max_databases, node_id, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING id",
                &params![
                    host.name,
                    host.engine,
                    host.host,
                    host.port,
                    host.username,
                    host.password,
                    host.max_databases,
                    host.node_id,
                    now
                ],
            )
            .await?;
        cell(row)
    }

    /// Removes a database host. Fails by reference while it has databases.
    pub async fn delete_database_host(&mut self, id: DatabaseHostId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM database_hosts WHERE id = $1";
        Ok(self.db().exec(sql, &params![id]).await? > 0)
    }
}
