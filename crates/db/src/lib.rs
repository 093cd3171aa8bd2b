//! Two database engines behind one executor.
//!
//! One SQL text serves both: parameters are `$1…$n`, integers are BIGINT, tables are STRICT on
//! SQLite. `store` is the only caller, and this crate knows no table of it.
//!
//! **Reads** go to [`Db::one`], [`Db::opt`] and [`Db::few`] when an index leads straight to a
//! bounded number of rows: SQLite runs them on the calling thread, since handing over costs more
//! than the query. Whatever may walk through many rows goes to [`Db::scan`], which runs on threads
//! of its own.
//!
//! **Writes** go through a [`Tx`]. SQLite has one writing connection behind an asynchronous lock
//! and begins with `BEGIN IMMEDIATE`. A transaction that is dropped, by a cancelled request say, is
//! rolled back; a commit that has begun ends whether or not anybody still waits for it.
//!
//! **Durability.** A commit that was acknowledged survives `kill -9` and loss of power: SQLite's
//! writer runs with `synchronous = FULL`, which is one flush of the log for a commit (on a thread
//! that may block). PostgreSQL keeps its own default, which is the same.

mod error;
mod migrate;
mod postgres;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
mod value;

use std::path::PathBuf;
use std::sync::Arc;

pub use error::DbError;
pub use migrate::Migration;
pub use value::{Row, Value};

use postgres::{Postgres, PostgresTx};
use sqlite::{Sqlite, SqliteTx};

/// Where the data lives.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of SQLite, created when missing.
    SqliteAt(PathBuf),
    /// A PostgreSQL server: `postgres://user:password@host/database?sslmode=require`.
    Postgres(String),
}

impl std::fmt::Debug for Location {
    /// Leaves out the URL, which holds a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SqliteAt(path) => f.debug_tuple("SqliteAt").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

/// An open database. Clones share it.
#[derive(Clone, Debug)]
pub struct Db(Engine);

#[derive(Clone, Debug)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Db {
    /// Opens the database and applies the migrations that it lacks. Two processes that start at
    /// once take turns. Before a SQLite file with data is changed, a copy of it is put beside it.
    pub async fn open(location: &Location, migrations: &[Migration]) -> Result<Self, DbError> {
        Ok(Self(match location {
            Location::SqliteAt(path) => {
                Engine::Sqlite(Arc::new(Sqlite::open(path, migrations).await?))
            }
            Location::Postgres(url) => {
                Engine::Postgres(Arc::new(Postgres::open(url, migrations).await?))
            }
        }))
    }

    /// Whether other machines may write to this database as well.
    pub const fn is_shared(&self) -> bool {
        matches!(self.0, Engine::Postgres(_))
    }

    /// The only row. Indexed and quick: see the crate's documentation.
    ///
    /// # Errors
    /// [`DbError::NoRow`] when there is none.
    pub async fn one(&self, sql: &str, params: &[Value]) -> Result<Row, DbError> {
        self.opt(sql, params).await?.ok_or(DbError::NoRow)
    }

    /// The first row, if there is one. Indexed and quick.
    pub async fn opt(&self, sql: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        Ok(self.few(sql, params).await?.into_iter().next())
    }

    /// A bounded number of rows. Indexed and quick.
    pub async fn few(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        match &self.0 {
            Engine::Sqlite(engine) => engine.read(sql, params),
            Engine::Postgres(engine) => engine.read(sql, params).await,
        }
    }

    /// Rows that may take long to find, or many rows.
    pub async fn scan(&self, sql: &str, params: Vec<Value>) -> Result<Vec<Row>, DbError> {
        match &self.0 {
            Engine::Sqlite(engine) => engine.scan(sql.to_owned(), params).await,
            Engine::Postgres(engine) => engine.read(sql, &params).await,
        }
    }

    /// Begins a transaction. On SQLite it is the only one, and the others wait.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        Ok(Tx {
            engine: match &self.0 {
                Engine::Sqlite(engine) => EngineTx::Sqlite(engine.begin().await?),
                Engine::Postgres(engine) => EngineTx::Postgres(Box::new(engine.begin().await?)),
            },
            failed: false,
        })
    }

    /// Whether another process has written to the SQLite file since the last time that this was
    /// asked. Always `false` on PostgreSQL, which cannot tell.
    pub fn external_changes(&self) -> Result<bool, DbError> {
        match &self.0 {
            Engine::Sqlite(engine) => engine.external_changes(),
            Engine::Postgres(_) => Ok(false),
        }
    }

    /// Moves what was committed from SQLite's log into its file, away from the requests. Does
    /// nothing when nothing was committed since, and on PostgreSQL.
    pub async fn checkpoint(&self) -> Result<(), DbError> {
        match &self.0 {
            Engine::Sqlite(engine) => engine.checkpoint().await,
            Engine::Postgres(_) => Ok(()),
        }
    }
}

/// A transaction. Dropping it rolls it back.
#[derive(Debug)]
pub struct Tx {
    engine: EngineTx,
    failed: bool,
}

#[derive(Debug)]
enum EngineTx {
    Sqlite(SqliteTx),
    Postgres(Box<PostgresTx>),
}

impl Tx {
    /// Runs a statement and tells how many rows it touched.
    pub async fn exec(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.check()?;
        let result = match &mut self.engine {
            EngineTx::Sqlite(tx) => tx.exec(sql, params),
            EngineTx::Postgres(tx) => tx.exec(sql, params).await,
        };
        self.failed = result.is_err();
        result
    }

    /// The only row.
    ///
    /// # Errors
    /// [`DbError::NoRow`] when there is none; the transaction remains usable.
    pub async fn one(&mut self, sql: &str, params: &[Value]) -> Result<Row, DbError> {
        self.opt(sql, params).await?.ok_or(DbError::NoRow)
    }

    /// The first row, if there is one.
    pub async fn opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        Ok(self.few(sql, params).await?.into_iter().next())
    }

    /// All rows.
    pub async fn few(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.check()?;
        let result = match &mut self.engine {
            EngineTx::Sqlite(tx) => tx.query(sql, params),
            EngineTx::Postgres(tx) => tx.query(sql, params).await,
        };
        self.failed = result.is_err();
        result
    }

    /// Makes it permanent, then calls `then`, before anybody can learn that it is. Both happen even
    /// if the caller is cancelled while it waits.
    pub async fn commit(self, then: impl FnOnce() + Send + 'static) -> Result<(), DbError> {
        self.check()?;
        match self.engine {
            EngineTx::Sqlite(tx) => tx.commit(then).await,
            EngineTx::Postgres(tx) => tx.commit(then).await,
        }
    }

    /// PostgreSQL takes nothing more after a failed statement; SQLite would. They are made alike.
    fn check(&self) -> Result<(), DbError> {
        if self.failed {
            Err(DbError::Aborted)
        } else {
            Ok(())
        }
    }
}
