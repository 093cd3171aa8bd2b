//! Settings: text by key.

use crate::sql::{cell, opt_cell, params, read_all};
use crate::{Store, StoreError, Tx};

/// How many settings of one beginning are read at once; the rest is for the next call.
const MAX_LISTED: u64 = 1000;

impl Store {
    /// Settings whose key begins with a text, by key.
    pub async fn settings_beginning(
        &self,
        beginning: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        // Not LIKE, which would read some characters as placeholders.
        let sql = "SELECT key, value FROM settings
            WHERE substr(key, 1, length(CAST($1 AS TEXT))) = $1 ORDER BY key LIMIT $2";
        let rows = self.db().few(sql, &params![beginning, MAX_LISTED]).await?;
        read_all(rows, |cells| Ok((cells.take()?, cells.take()?)))
    }

    /// A setting.
    pub async fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        opt_cell(
            self.db()
                .opt("SELECT value FROM settings WHERE key = $1", &params![key])
                .await?,
        )
    }
}

impl Tx {
    /// A setting as this transaction sees it.
    pub async fn setting(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        opt_cell(
            self.db()
                .opt("SELECT value FROM settings WHERE key = $1", &params![key])
                .await?,
        )
    }

    /// Writes a setting.
    pub async fn set_setting(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        self.db()
            .exec(
                "INSERT INTO settings (key, value) VALUES ($1, $2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                &params![key, value],
            )
            .await?;
        Ok(())
    }

    /// A setting, which becomes `value` if there was none. Of two that ask at once, both get what the
    /// first wrote.
    pub async fn setting_or(&mut self, key: &str, value: &str) -> Result<String, StoreError> {
        let sql = "INSERT INTO settings (key, value) VALUES ($1, $2)
            ON CONFLICT (key) DO UPDATE SET value = settings.value RETURNING value";
        cell(self.db().one(sql, &params![key, value]).await?)
    }

    /// Removes a setting and gives what it was. Of two that take the same, only one gets it.
    pub async fn take_setting(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        opt_cell(
            self.db()
                .opt(
                    "DELETE FROM settings WHERE key = $1 RETURNING value",
                    &params![key],
                )
                .await?,
        )
    }

    /// Removes a setting if it has this value, and tells whether it had. This is how a single-use
    /// token is redeemed.
    pub async fn take_setting_if(&mut self, key: &str, value: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM settings WHERE key = $1 AND value = $2";
        Ok(self.db().exec(sql, &params![key, value]).await? > 0)
    }
}
