//! Throw-away databases for tests.

use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::{DbError, Location};

/// The variable with the URL of a PostgreSQL server's administrator.
const POSTGRES_VARIABLE: &str = "HATCHERY_TEST_POSTGRES";

/// An empty database that nobody else uses.
#[derive(Debug)]
pub struct TestDatabase {
    /// Where it is.
    pub location: Location,
    /// Removed with the value; databases on the server go when the throw-away server goes.
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A file in a folder of its own.
    pub fn sqlite() -> Result<Self, DbError> {
        let folder = tempfile::tempdir().map_err(|error| DbError::Open(error.to_string()))?;
        let location = Location::SqliteAt(folder.path().join("panel.db"));
        Ok(Self {
            location,
            _folder: Some(folder),
        })
    }

    /// A new database on the server that `HATCHERY_TEST_POSTGRES` names. Without the variable the
    /// test prints a line that says so and is to end.
    #[expect(clippy::print_stdout, reason = "the runner counts these lines")]
    pub async fn postgres() -> Result<Option<Self>, DbError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let Ok(server) = std::env::var(POSTGRES_VARIABLE) else {
            println!("SKIPPED: {POSTGRES_VARIABLE} names no PostgreSQL server");
            return Ok(None);
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hatchery_{}_{number}", std::process::id());
        let create = [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ];
        for statement in create {
            administer(&server, &statement).await?;
        }
        Ok(Some(Self {
            location: Location::Postgres(with_database(&server, &name)),
            _folder: None,
        }))
    }

    /// Runs a statement as somebody who does not go through [`crate::Db`].
    ///
    /// # Errors
    /// Those of the database; and always for SQLite, where tests open a second [`crate::Db`].
    pub async fn administer(&self, statement: &str) -> Result<(), DbError> {
        match &self.location {
            Location::Postgres(url) => administer(url, statement).await,
            Location::SqliteAt(_) => Err(DbError::Query("this is for PostgreSQL".to_owned())),
        }
    }
}

async fn administer(url: &str, statement: &str) -> Result<(), DbError> {
    let refuse = |error: tokio_postgres::Error| DbError::Query(format!("{error:?}"));
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(refuse)?;
    let driver = tokio::spawn(connection);
    let result = client.batch_execute(statement).await.map_err(refuse);
    drop(client);
    // Its own result repeats the statement's.
    let _ = driver.await;
    result
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url
        .split_once('?')
        .map_or((url, None), |(a, o)| (a, Some(o)));
    let server = address
        .rsplit_once('/')
        .map_or(address, |(server, _)| server);
    options.map_or_else(
        || format!("{server}/{name}"),
        |options| format!("{server}/{name}?{options}"),
    )
}
