//! Links with which somebody chooses a password. Only a digest of the token is kept, one per user.

use std::time::Duration;

use hatchery_vocab::UserId;

use crate::sql::params;
use crate::{Store, StoreError, Tx};

impl Store {
    /// Whether a token of this digest, not older than `lifetime`, would let the user choose a password.
    pub async fn has_password_reset(
        &self,
        user: UserId,
        token_sha256: &[u8; 32],
        lifetime: Duration,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM password_resets
            WHERE user_id = $1 AND token_hash = $2 AND created_at > $3";
        let oldest = self.now().minus(lifetime);
        let values = params![user, token_sha256, oldest];
        Ok(self.db().opt(sql, &values).await?.is_some())
    }
}

impl Tx {
    /// Gives a user a new token in place of an older one, unless that is younger than `pause`. Says
    /// whether it did.
    pub async fn start_password_reset(
        &mut self,
        user: UserId,
        token_sha256: &[u8; 32],
        pause: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let sql =
            "INSERT INTO password_resets (user_id, token_hash, created_at) VALUES ($1, $2, $3)
            ON CONFLICT (user_id) DO UPDATE
                SET token_hash = excluded.token_hash, created_at = excluded.created_at
                WHERE password_resets.created_at <= $4";
        let values = params![user, token_sha256, now, now.minus(pause)];
        Ok(self.db().exec(sql, &values).await? > 0)
    }

    /// Uses a token up. `false` when it is wrong, older than `lifetime`, or somebody was quicker: then
    /// it must be refused.
    pub async fn use_password_reset(
        &mut self,
        user: UserId,
        token_sha256: &[u8; 32],
        lifetime: Duration,
    ) -> Result<bool, StoreError> {
        let oldest = self.now().minus(lifetime);
        let sql = "DELETE FROM password_resets
            WHERE user_id = $1 AND token_hash = $2 AND created_at > $3";
        let values = params![user, token_sha256, oldest];
        Ok(self.db().exec(sql, &values).await? > 0)
    }

    /// Ends a user's token: their password or address is another one now.
    pub async fn delete_password_reset_of(&mut self, user: UserId) -> Result<(), StoreError> {
        let sql = "DELETE FROM password_resets WHERE user_id = $1";
        self.db().exec(sql, &params![user]).await?;
        Ok(())
    }

    /// Clears away tokens older than `lifetime`, of everybody.
    pub async fn delete_ended_password_resets(
        &mut self,
        lifetime: Duration,
    ) -> Result<u64, StoreError> {
        let oldest = self.now().minus(lifetime);
        let sql = "DELETE FROM password_resets WHERE created_at <= $1";
        Ok(self.db().exec(sql, &params![oldest]).await?)
    }
}
