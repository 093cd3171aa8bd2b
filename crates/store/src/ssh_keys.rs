//! Public keys for SFTP.

use hatchery_vocab::{SshKeyId, Timestamp, UserId};

use crate::sql::{Cells, cell, opt_cell, params, read_all};
use crate::{Store, StoreError, Tx};

/// How many keys a user may have: far more than anybody needs, so that a list stays a list.
const MAX_SSH_KEYS: u64 = 100;

/// A public key of a user.
#[derive(Clone, Debug)]
pub struct SshKey {
    /// The row.
    pub id: SshKeyId,
    /// Whose key it is.
    pub user_id: UserId,
    /// What the user calls it.
    pub name: String,
    /// SHA-256 of the key, base64 without padding; unique for a user.
    pub fingerprint: String,
    /// The key as SubjectPublicKeyInfo PEM.
    pub public_key: String,
    /// When it was added.
    pub created_at: Timestamp,
}

fn read(cells: &mut Cells) -> Result<SshKey, StoreError> {
    Ok(SshKey {
        id: cells.take()?,
        user_id: cells.take()?,
        name: cells.take()?,
        fingerprint: cells.take()?,
        public_key: cells.take()?,
        created_at: cells.take()?,
    })
}

impl Store {
    /// A user's keys, oldest first.
    pub async fn ssh_keys_of(&self, user: UserId) -> Result<Vec<SshKey>, StoreError> {
        let sql = "SELECT id, user_id, name, fingerprint, public_key, created_at FROM ssh_keys
            WHERE user_id = $1 ORDER BY id";
        read_all(self.db().few(sql, &params![user]).await?, read)
    }
}

impl Tx {
    /// Adds a key.
    ///
    /// # Errors
    /// The unique index `ssh_keys_user_fingerprint` when the user has it already.
    pub async fn create_ssh_key(
        &mut self,
        user_id: UserId,
        name: &str,
        fingerprint: &str,
        public_key: &str,
    ) -> Result<SshKey, StoreError> {
        self.within_limit(
            "UPDATE users SET updated_at = updated_at WHERE id = $1",
            "SELECT COUNT(*) FROM ssh_keys WHERE user_id = $1",
            user_id,
            MAX_SSH_KEYS,
        )
        .await?;
        let created_at = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO ssh_keys (user_id, name, fingerprint, public_key, created_at)
                 VALUES ($1, $2, $3, $4, $5) RETURNING id",
                &params![user_id, name, fingerprint, public_key, created_at],
            )
            .await?;
        Ok(SshKey {
            id: cell(row)?,
            user_id,
            name: name.to_owned(),
            fingerprint: fingerprint.to_owned(),
            public_key: public_key.to_owned(),
            created_at,
        })
    }

    /// Removes a user's key and tells which one it was.
    pub async fn delete_ssh_key(
        &mut self,
        user: UserId,
        fingerprint: &str,
    ) -> Result<Option<SshKeyId>, StoreError> {
        let sql = "DELETE FROM ssh_keys WHERE user_id = $1 AND fingerprint = $2 RETURNING id";
        opt_cell(self.db().opt(sql, &params![user, fingerprint]).await?)
    }
}
