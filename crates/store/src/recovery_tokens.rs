//! One-time tokens for users who have lost their second factor. Only hashes are kept.

use hatchery_vocab::UserId;

use crate::sql::{Cells, params, read_all};
use crate::{Secret, Store, StoreError, Tx};

/// A recovery token that was not used yet.
#[derive(Clone, Debug)]
pub struct RecoveryToken {
    /// The row.
    pub id: i64,
    /// The hash of the token.
    pub hash: Secret,
}

fn read(cells: &mut Cells) -> Result<RecoveryToken, StoreError> {
    Ok(RecoveryToken {
        id: cells.take()?,
        hash: cells.take()?,
    })
}

impl Store {
    /// The tokens that a user has left.
    pub async fn recovery_tokens_of(&self, user: UserId) -> Result<Vec<RecoveryToken>, StoreError> {
        let sql = "SELECT id, token_hash FROM recovery_tokens WHERE user_id = $1 ORDER BY id";
        read_all(self.db().few(sql, &params![user]).await?, read)
    }
}

impl Tx {
    /// Replaces all tokens of a user.
    pub async fn replace_recovery_tokens(
        &mut self,
        user: UserId,
        hashes: &[Secret],
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.db()
            .exec(
                "DELETE FROM recovery_tokens WHERE user_id = $1",
                &params![user],
            )
            .await?;
        for hash in hashes {
            self.db()
                .exec(
                    "INSERT INTO recovery_tokens (user_id, token_hash, created_at) VALUES ($1, $2, $3)",
                    &params![user, hash, now],
                )
                .await?;
        }
        Ok(())
    }

    /// Uses a token up. `false` when somebody else was quicker: then it must be refused.
    pub async fn use_recovery_token(&mut self, user: UserId, id: i64) -> Result<bool, StoreError> {
        let sql = "DELETE FROM recovery_tokens WHERE user_id = $1 AND id = $2";
        Ok(self.db().exec(sql, &params![user, id]).await? > 0)
    }
}
