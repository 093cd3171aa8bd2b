//! What was done to the reference's tables just before an exchange, done to ours.
//!
//! The statements are few and the two schemas have much in common: what means the same in both is
//! run as it is, with points in time as numbers; the others are written out here.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::panel;

/// Keys that a user may have; one less than that makes the next but one too many.
const KEY_LIMIT: u32 = 25;

/// Our names of tables that are named otherwise.
const TABLES: [(&str, &str); 2] = [
    ("server_transfers", "transfers"),
    ("mount_server", "server_mounts"),
];

/// The ports that network.jsonl uses up.
const AUTOMATIC_PORTS: std::ops::RangeInclusive<u16> = 25600..=25700;

/// The data folder of a panel that does not run.
#[derive(Debug)]
pub(crate) struct Fixture(Connection);

impl Fixture {
    /// Opens it.
    pub(crate) fn open(data: &Path) -> Result<Fixture> {
        Ok(Fixture(Connection::open(panel::database(data))?))
    }

    /// Brings about what `statement` does to the reference.
    pub(crate) fn apply(&self, statement: &str) -> Result<()> {
        let text = statement.trim();
        if text == "set foreign_key_checks=0" {
            self.0.pragma_update(None, "foreign_keys", false)?;
        } else if text.starts_with("update password_resets set created_at=") {
            self.0
                .execute("UPDATE password_resets SET created_at = 0", ())?;
        } else if text.starts_with("insert ignore into allocations") {
            self.occupy_automatic_ports()?;
        } else {
            let sql = translated(text);
            self.0
                .execute_batch(&sql)
                .with_context(|| format!("precondition {statement:?} as {sql:?}"))?;
        }
        Ok(())
    }

    /// Gives the ports that are handed out of themselves to another server.
    fn occupy_automatic_ports(&self) -> Result<()> {
        for port in AUTOMATIC_PORTS {
            self.0.execute(
                "INSERT OR IGNORE INTO allocations
                     (node_id, ip, port, server_id, is_primary, created_at, updated_at)
                 VALUES (1, '127.0.0.1', ?1, 6, 0, 0, 0)",
                [port],
            )?;
        }
        Ok(())
    }

    /// Gives a user all the keys that they may have.
    pub(crate) fn fill_api_keys(&self, username: &str) -> Result<()> {
        let sql = "INSERT INTO api_keys (user_id, key_type, identifier, secret_hash, memo,
                allowed_ips, rights, created_at)
            SELECT u.id, 1, 'ptlc_fill' || substr(lower(hex(randomblob(8))), 1, 7), zeroblob(32), '', '[]', '{}', 0
            FROM users u WHERE u.username = ?1";
        let count = "SELECT count(*) FROM api_keys k JOIN users u ON u.id = k.user_id
            WHERE u.username = ?1 AND k.key_type = 1";
        while self
            .0
            .query_row(count, [username], |row| row.get::<_, u32>(0))?
            < KEY_LIMIT
        {
            self.0.execute(sql, [username])?;
        }
        Ok(())
    }

    /// Lets `token` reset the password of the user with that address, from now on.
    pub(crate) fn password_reset(&self, token: &str, email: &str) -> Result<()> {
        let hash = Sha256::digest(token.as_bytes());
        self.0.execute(
            "INSERT OR REPLACE INTO password_resets (user_id, token_hash, created_at)
             SELECT id, ?1, CAST(unixepoch('subsec') * 1000000 AS INTEGER) FROM users WHERE email = ?2",
            params![hash.as_slice(), email],
        )?;
        Ok(())
    }
}

/// The statement for our tables: other names, and points in time as microseconds.
fn translated(statement: &str) -> String {
    let mut sql = statement.to_owned();
    for (theirs, ours) in TABLES {
        sql = sql.replace(theirs, ours);
    }
    sql.replace("'2024-01-01'", "1704067200000000")
}
