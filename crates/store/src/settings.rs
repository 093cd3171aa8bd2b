//! Settings: text by key.

use crate::sql::{opt_cell, params};
use crate::{Store, StoreError, Tx};

impl Store {
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
