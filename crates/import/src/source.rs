//! The other panel's database. The one file with SQL in MySQL's dialect; nothing is ever written.

use std::fmt;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Params, Value};

use crate::row::Row;

/// Rows that are read at once.
const PAGE: u32 = 500;

/// What must be there for it to be a panel that we can read, by table and column, and what to do
/// about it when it is not.
const NEEDED: &[(&str, &str)] = &[
    ("users", "uuid"),
    ("api_keys", "identifier"),
    ("nodes", "daemon_token_id"),
    ("servers", "status"),
    ("eggs", "docker_images"),
];

/// The other panel's database cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The URL makes no sense.
    #[error("the panel's database is mysql://user:password@host:3306/name: {0}")]
    Url(String),
    /// The server cannot be reached, or turned us away.
    #[error("cannot read the panel's database: {0}")]
    Sql(#[from] mysql_async::Error),
    /// It is something else.
    #[error(
        "this is not the database of a Pterodactyl panel of version 1.8 or later: it has no column {1} in a table {0}. Update that panel first, or name its database in the URL"
    )]
    NotAPanel(&'static str, &'static str),
}

/// A connection that sees the database as it was when the connection began.
pub(crate) struct Source {
    connection: Conn,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

impl Source {
    /// Connects, and makes sure that it is a panel's database.
    pub(crate) async fn open(url: &str) -> Result<Self, SourceError> {
        let url = url.replacen("mariadb://", "mysql://", 1);
        let options = Opts::from_url(&url).map_err(|error| SourceError::Url(error.to_string()))?;
        if options.db_name().is_none_or(str::is_empty) {
            return Err(SourceError::Url("it names no database".to_owned()));
        }
        let mut connection = Conn::new(options).await?;
        for statement in [
            "SET time_zone = '+00:00'",
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ] {
            connection.query_drop(statement).await?;
        }
        let mut source = Self { connection };
        for (table, column) in NEEDED {
            if !source.has_column(table, column).await? {
                return Err(SourceError::NotAPanel(table, column));
            }
        }
        Ok(source)
    }

    async fn has_column(&mut self, table: &str, column: &str) -> Result<bool, SourceError> {
        let sql = "SELECT 1 FROM information_schema.COLUMNS
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = ?";
        let row: Option<u8> = self.connection.exec_first(sql, (table, column)).await?;
        Ok(row.is_some())
    }

    /// Whether there is such a table; older panels lack some.
    pub(crate) async fn has_table(&mut self, table: &str) -> Result<bool, SourceError> {
        let sql = "SELECT 1 FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?";
        let row: Option<u8> = self.connection.exec_first(sql, (table,)).await?;
        Ok(row.is_some())
    }

    /// The number that the next row of a table would get.
    pub(crate) async fn next_number(&mut self, table: &str) -> Result<i64, SourceError> {
        let sql = "SELECT CAST(AUTO_INCREMENT AS SIGNED) FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?";
        let next: Option<Option<i64>> = self.connection.exec_first(sql, (table,)).await?;
        Ok(next.flatten().unwrap_or(1))
    }

    /// The next rows of a table in the order of its key, which are one or two numbers; `after` is
    /// the key of the last row that was read.
    pub(crate) async fn page(
        &mut self,
        table: &str,
        key: &[&str],
        after: Option<&[i64]>,
    ) -> Result<Vec<Row>, SourceError> {
        let names: Vec<String> = key.iter().map(|name| format!("`{name}`")).collect();
        let names = names.join(", ");
        let beyond = match after {
            Some(after) => {
                let marks = vec!["?"; after.len()].join(", ");
                format!("WHERE ({names}) > ({marks})")
            }
            None => String::new(),
        };
        let sql = format!("SELECT * FROM `{table}` {beyond} ORDER BY {names} LIMIT {PAGE}");
        let after = after.unwrap_or_default();
        let parameters = Params::Positional(after.iter().map(|id| Value::Int(*id)).collect());
        let parameters = if after.is_empty() {
            Params::Empty
        } else {
            parameters
        };
        let rows: Vec<mysql_async::Row> = self.connection.exec(sql, parameters).await?;
        Ok(rows.into_iter().map(Row::new).collect())
    }

    /// What the activity entries with numbers from one to another are about.
    pub(crate) async fn subjects(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<Vec<(i64, String, i64)>, SourceError> {
        let sql = "SELECT activity_log_id, subject_type, subject_id FROM activity_log_subjects
            WHERE activity_log_id BETWEEN ? AND ? ORDER BY activity_log_id, id";
        Ok(self.connection.exec(sql, (first, last)).await?)
    }

    /// Some values of a column that holds sealed values.
    pub(crate) async fn sample(
        &mut self,
        table: &str,
        column: &str,
    ) -> Result<Vec<String>, SourceError> {
        let sql = format!("SELECT `{column}` FROM `{table}` WHERE `{column}` IS NOT NULL LIMIT 20");
        Ok(self.connection.query(sql).await?)
    }
}
