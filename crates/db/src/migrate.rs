//! The list of migrations, and what must be true of a database before it is brought up to date.
//! Each engine applies them under its own lock, in one transaction.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::DbError;

/// One step of the schema: the same change, written for each engine.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The file's name without its extension, such as `0001_schema`.
    pub name: &'static str,
    /// The statements for SQLite.
    pub sqlite: &'static str,
    /// The statements for PostgreSQL.
    pub postgres: &'static str,
}

/// Which of the two texts of a migration is meant.
#[derive(Clone, Copy)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Migration {
    pub(crate) fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    pub(crate) fn checksum(&self, dialect: Dialect) -> String {
        Sha256::digest(self.text(dialect))
            .iter()
            .fold(String::new(), |mut hex, byte| {
                // Writing to a String cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

/// Where both engines remember what was applied.
pub(crate) const CREATE_LEDGER: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    name TEXT PRIMARY KEY NOT NULL,
    checksum TEXT NOT NULL
)";
pub(crate) const READ_LEDGER: &str = "SELECT name, checksum FROM schema_migrations ORDER BY name";
pub(crate) const WRITE_LEDGER: &str =
    "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)";

/// The migrations that are still to be applied, after comparing those that were.
pub(crate) fn pending<'a>(
    known: &'a [Migration],
    applied: &[(String, String)],
    dialect: Dialect,
) -> Result<&'a [Migration], DbError> {
    for (index, (name, checksum)) in applied.iter().enumerate() {
        let Some(migration) = known.get(index).filter(|migration| migration.name == name) else {
            return Err(DbError::Migration(format!(
                "it has the migration {name}, which this version does not know. It was opened by a \
                 newer version: use that one, or restore the copy made before the upgrade"
            )));
        };
        if migration.checksum(dialect) != *checksum {
            return Err(DbError::Migration(format!(
                "the migration {name} was applied with another text than this version carries"
            )));
        }
    }
    Ok(&known[applied.len()..])
}
