//! Databases of game servers, as rows: what is on their hosts is the business of others.
//!
//! A row comes before its database and goes after it. While its `state` is `creating`, or `leftover`
//! when making or clearing away the database failed, nobody sees the row.

use std::time::Duration;

use hatchery_db::DbError;
use hatchery_vocab::{DatabaseHostId, DatabaseId, Port, ServerId, Timestamp};

use crate::sql::{Cells, cell, column, params, read_all, read_opt};
use crate::{Secret, Store, StoreError, Tx};

/// After how long a database that is still being created counts as one that nobody creates any
/// more: the panel ended in the middle. Much longer than creating one may take.
const ABANDONED_AFTER: Duration = Duration::from_mins(10);

/// A database of a server.
#[derive(Clone, Debug)]
pub struct Database {
    /// The row.
    pub id: DatabaseId,
    /// Whose it is.
    pub server_id: ServerId,
    /// Where it is.
    pub host_id: DatabaseHostId,
    /// The host's address.
    pub host: String,
    /// The host's port.
    pub port: Port,
    /// The database's name on its host.
    pub name: String,
    /// The account that may use it.
    pub username: String,
    /// From where that account may connect.
    pub remote: String,
    /// The account's password.
    pub password: Secret,
    /// How many connections it may have; none or 0 is without limit.
    pub max_connections: Option<u32>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What it takes to create a database. The fields are those of [`Database`].
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "documented at Database")]
pub struct NewDatabase {
    pub server_id: ServerId,
    pub host_id: DatabaseHostId,
    pub name: String,
    pub username: String,
    pub remote: String,
    pub password: Secret,
    pub max_connections: Option<u32>,
}

const SELECT: &str = "SELECT d.id, d.server_id, d.database_host_id, h.host, h.port, d.name,
    d.username, d.remote, d.password, d.max_connections, d.created_at
    FROM databases d JOIN database_hosts h ON h.id = d.database_host_id";

fn read(cells: &mut Cells) -> Result<Database, StoreError> {
    Ok(Database {
        id: cells.take()?,
        server_id: cells.take()?,
        host_id: cells.take()?,
        host: cells.take()?,
        port: cells.take()?,
        name: cells.take()?,
        username: cells.take()?,
        remote: cells.take()?,
        password: cells.take()?,
        max_connections: cells.take()?,
        created_at: cells.take()?,
    })
}

impl Store {
    /// A database that can be used.
    pub async fn database(&self, id: DatabaseId) -> Result<Option<Database>, StoreError> {
        let sql = format!("{SELECT} WHERE d.id = $1 AND d.state = 'ready'");
        read_opt(self.db().opt(&sql, &params![id]).await?, read)
    }

    /// A server's databases that can be used, oldest first.
    pub async fn databases_of(&self, server: ServerId) -> Result<Vec<Database>, StoreError> {
        let sql = format!("{SELECT} WHERE d.server_id = $1 AND d.state = 'ready' ORDER BY d.id");
        read_all(self.db().few(&sql, &params![server]).await?, read)
    }

    /// What a server left behind on hosts.
    pub async fn database_leftovers_of(
        &self,
        server: ServerId,
    ) -> Result<Vec<Database>, StoreError> {
        let sql = format!("{SELECT} WHERE d.server_id = $1 AND d.state = 'leftover' ORDER BY d.id");
        read_all(self.db().few(&sql, &params![server]).await?, read)
    }

    /// The oldest leftovers on all hosts, those included that a panel which was ended left unfinished.
    pub async fn database_leftovers(&self, limit: u64) -> Result<Vec<Database>, StoreError> {
        let abandoned = self.now().minus(ABANDONED_AFTER);
        let sql = format!(
            "{SELECT} WHERE d.state = 'leftover' OR (d.state = 'creating' AND d.updated_at < $1)
             ORDER BY d.id LIMIT $2"
        );
        let rows = self
            .db()
            .scan(&sql, params![abandoned, limit].to_vec())
            .await?;
        read_all(rows, read)
    }
}

impl Tx {
    /// Takes a name for a database that is about to be created, if the server may have one more.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`]; the unique index `databases_host_name` when the server has one
    /// of this name, in whatever case and on whatever host; a broken reference when the server or
    /// the host is gone.
    pub async fn reserve_database(
        &mut self,
        database: &NewDatabase,
        limit: Option<u64>,
    ) -> Result<Database, StoreError> {
        // Also without a limit: this keeps others from the same name at the same time.
        self.within_limit(
            "UPDATE servers SET updated_at = updated_at WHERE id = $1",
            "SELECT COUNT(*) FROM databases WHERE server_id = $1 AND state <> 'leftover'",
            database.server_id,
            limit.unwrap_or(u64::MAX),
        )
        .await?;
        let sql = "SELECT name FROM databases WHERE server_id = $1 AND state <> 'leftover'";
        let rows = self.db().few(sql, &params![database.server_id]).await?;
        let taken: Vec<String> = column(rows)?;
        // Not by LOWER, which the engines understand differently.
        let wanted = database.name.to_lowercase();
        if taken.iter().any(|name| name.to_lowercase() == wanted) {
            return Err(StoreError::Db(DbError::Unique {
                constraint: "databases_host_name".to_owned(),
            }));
        }
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO databases (server_id, database_host_id, name, username, remote, password,
                    max_connections, state, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'creating', $8, $8) RETURNING id",
                &params![
                    database.server_id,
                    database.host_id,
                    database.name,
                    database.username,
                    database.remote,
                    database.password,
                    database.max_connections,
                    now
                ],
            )
            .await?;
        let id: DatabaseId = cell(row)?;
        let sql = format!("{SELECT} WHERE d.id = $1");
        read(&mut Cells::new(self.db().one(&sql, &params![id]).await?))
    }

    /// Shows a database that was created. `false` when it was given up in the meantime.
    pub async fn set_database_ready(&mut self, id: DatabaseId) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE databases SET state = 'ready', updated_at = $2
            WHERE id = $1 AND state = 'creating'";
        Ok(self.db().exec(sql, &params![id, now]).await? > 0)
    }

    /// Notes that something may be left of a database on its host, and has to be cleared away.
    pub async fn set_database_leftover(&mut self, id: DatabaseId) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE databases SET state = 'leftover', updated_at = $2 WHERE id = $1";
        Ok(self.db().exec(sql, &params![id, now]).await? > 0)
    }

    /// Writes down the password that the account has on its host.
    pub async fn set_database_password(
        &mut self,
        id: DatabaseId,
        password: &Secret,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE databases SET password = $2, updated_at = $3 WHERE id = $1";
        Ok(self.db().exec(sql, &params![id, password, now]).await? > 0)
    }

    /// Removes the row of a database that is not on its host any more.
    pub async fn delete_database(&mut self, id: DatabaseId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM databases WHERE id = $1";
        Ok(self.db().exec(sql, &params![id]).await? > 0)
    }
}
