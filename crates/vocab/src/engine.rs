//! The kinds of database servers on which game servers may have databases.

use std::fmt;
use std::str::FromStr;

/// A kind of database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatabaseEngine {
    /// MySQL or MariaDB.
    Mysql,
    /// PostgreSQL.
    Postgres,
}

impl DatabaseEngine {
    /// The word on the command line and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Postgres => "postgres",
        }
    }

    /// The port on which such servers listen unless they are told otherwise.
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Mysql => 3306,
            Self::Postgres => 5432,
        }
    }
}

impl fmt::Display for DatabaseEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no kind of database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine of a database host is mysql or postgres")]
pub struct ParseDatabaseEngine;

impl FromStr for DatabaseEngine {
    type Err = ParseDatabaseEngine;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "mysql" => Ok(Self::Mysql),
            "postgres" => Ok(Self::Postgres),
            _ => Err(ParseDatabaseEngine),
        }
    }
}
