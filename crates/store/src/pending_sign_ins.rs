//! Browsers whose user gave the right password and owes the second factor. One per browser: a second
//! attempt takes the place of the first.

use std::time::Duration;

use hatchery_vocab::UserId;

use crate::sql::{opt_cell, params};
use crate::{Store, StoreError, Tx};

/// What tells a pending sign-in from all others: digests of two secrets, of which the browser keeps
/// one in its cookie and sends the other.
#[derive(Clone, Copy)]
pub struct PendingSignIn<'a> {
    /// SHA-256 of the browser's cookie.
    pub session_sha256: &'a [u8; 32],
    /// SHA-256 of the confirmation token.
    pub token_sha256: &'a [u8; 32],
}

impl Store {
    /// Whether this browser owes anybody's second factor, whatever its confirmation token.
    pub async fn has_pending_sign_in(
        &self,
        session_sha256: &[u8; 32],
        lifetime: Duration,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM pending_sign_ins WHERE session_hash = $1 AND created_at > $2";
        let oldest = self.now().minus(lifetime);
        let values = params![session_sha256, oldest];
        Ok(self.db().opt(sql, &values).await?.is_some())
    }

    /// Whose second factor is owed.
    pub async fn pending_sign_in(
        &self,
        pending: PendingSignIn<'_>,
        lifetime: Duration,
    ) -> Result<Option<UserId>, StoreError> {
        let sql = "SELECT user_id FROM pending_sign_ins
            WHERE session_hash = $1 AND token_hash = $2 AND created_at > $3";
        let oldest = self.now().minus(lifetime);
        let values = params![pending.session_sha256, pending.token_sha256, oldest];
        opt_cell(self.db().opt(sql, &values).await?)
    }
}

impl Tx {
    /// Notes that a browser owes a user's second factor.
    pub async fn create_pending_sign_in(
        &mut self,
        pending: PendingSignIn<'_>,
        user: UserId,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let sql = "INSERT INTO pending_sign_ins (session_hash, token_hash, user_id, created_at)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (session_hash) DO UPDATE SET token_hash = excluded.token_hash,
                user_id = excluded.user_id, created_at = excluded.created_at";
        let values = params![pending.session_sha256, pending.token_sha256, user, now];
        self.db().exec(sql, &values).await?;
        Ok(())
    }

    /// Uses a pending sign-in up. `false` when somebody was quicker: then nobody is signed in.
    pub async fn use_pending_sign_in(
        &mut self,
        pending: PendingSignIn<'_>,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM pending_sign_ins WHERE session_hash = $1 AND token_hash = $2";
        let values = params![pending.session_sha256, pending.token_sha256];
        Ok(self.db().exec(sql, &values).await? > 0)
    }

    /// Ends what is pending for a user: their password is another one now.
    pub async fn delete_pending_sign_ins_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        let sql = "DELETE FROM pending_sign_ins WHERE user_id = $1";
        Ok(self.db().exec(sql, &params![user]).await?)
    }

    /// Clears away what is older than `lifetime`, of everybody.
    pub async fn delete_ended_pending_sign_ins(
        &mut self,
        lifetime: Duration,
    ) -> Result<u64, StoreError> {
        let oldest = self.now().minus(lifetime);
        let sql = "DELETE FROM pending_sign_ins WHERE created_at <= $1";
        Ok(self.db().exec(sql, &params![oldest]).await?)
    }
}
