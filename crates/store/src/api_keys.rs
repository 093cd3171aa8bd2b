//! API keys (client-api.md §1.4). Only a digest of the secret is kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hatchery_db::Value;
use hatchery_vocab::{ApiKeyId, Timestamp, UserId};

use crate::sql::{Cells, Column, Json, Param, cell, params, read_all, read_opt};
use crate::{Store, StoreError, Tx, User};

/// How many client keys a user may have.
pub const MAX_CLIENT_KEYS: u64 = 25;

/// What a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiKeyKind {
    /// The Client API, as its user.
    Client,
    /// The Application API, with the rights that the key names.
    Application,
}

impl Param for ApiKeyKind {
    fn value(&self) -> Value {
        Value::Int(match self {
            Self::Client => 1,
            Self::Application => 2,
        })
    }
}

impl Column for ApiKeyKind {
    fn read(value: Value) -> Result<Self, StoreError> {
        match value.into_int()? {
            1 => Ok(Self::Client),
            2 => Ok(Self::Application),
            other => Err(StoreError::Corrupt(format!(
                "an API key of the kind {other}"
            ))),
        }
    }
}

/// An API key.
#[derive(Clone)]
pub struct ApiKey {
    /// The row.
    pub id: ApiKeyId,
    /// Whose key it is.
    pub user_id: UserId,
    /// What it opens.
    pub kind: ApiKeyKind,
    /// The public part, 16 characters.
    pub identifier: String,
    /// SHA-256 of the secret part.
    pub secret_sha256: [u8; 32],
    /// The description.
    pub memo: String,
    /// Addresses that may use it; none means all.
    pub allowed_ips: Vec<String>,
    /// Of an application key: resource to 0 (nothing), 1 (read) or 3 (read and write).
    pub rights: BTreeMap<String, u8>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl fmt::Debug for ApiKey {
    /// Leaves out the digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .field("kind", &self.kind)
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}

/// A key together with its user: whom a request speaks for.
#[derive(Clone, Debug)]
pub struct KeyActor {
    /// The user.
    pub user: Arc<User>,
    /// The key. Its `last_used_at` is as old as this copy.
    pub key: ApiKey,
}

/// What it takes to create a key.
#[derive(Clone)]
pub struct NewApiKey {
    /// Whose key it is.
    pub user_id: UserId,
    /// What it opens.
    pub kind: ApiKeyKind,
    /// The public part.
    pub identifier: String,
    /// SHA-256 of the secret part.
    pub secret_sha256: [u8; 32],
    /// The description.
    pub memo: String,
    /// Addresses that may use it; none means all.
    pub allowed_ips: Vec<String>,
    /// Of an application key: resource to 0, 1 or 3.
    pub rights: BTreeMap<String, u8>,
    /// When it ends, if ever.
    pub expires_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, user_id, key_type, identifier, secret_hash, memo, allowed_ips, rights,
    last_used_at, expires_at, created_at";

fn read(cells: &mut Cells) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: cells.take()?,
        user_id: cells.take()?,
        kind: cells.take()?,
        identifier: cells.take()?,
        secret_sha256: cells.take()?,
        memo: cells.take()?,
        allowed_ips: cells.take::<Json<_>>()?.0,
        rights: cells.take::<Json<_>>()?.0,
        last_used_at: cells.take()?,
        expires_at: cells.take()?,
        created_at: cells.take()?,
    })
}

impl Store {
    /// The key with this identifier and its user. Cached. The caller compares the secret.
    pub async fn key_actor(&self, identifier: &str) -> Result<Option<Arc<KeyActor>>, StoreError> {
        if let Some(actor) = self.caches().actors.get(identifier) {
            return Ok(Some(actor));
        }
        let generation = self.caches().generation();
        let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE identifier = $1");
        let Some(key) = read_opt(self.db().opt(&sql, &params![identifier]).await?, read)? else {
            return Ok(None);
        };
        let Some(user) = self.user(key.user_id).await? else {
            return Ok(None);
        };
        let actor = Arc::new(KeyActor { user, key });
        self.caches().keep(generation, |caches| {
            caches
                .actors
                .insert(identifier.to_owned(), Arc::clone(&actor));
        });
        Ok(Some(actor))
    }

    /// A user's keys of one kind, oldest first.
    pub async fn api_keys_of(
        &self,
        user: UserId,
        kind: ApiKeyKind,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys WHERE user_id = $1 AND key_type = $2 ORDER BY id"
        );
        let mut keys = read_all(self.db().few(&sql, &params![user, kind]).await?, read)?;
        for key in &mut keys {
            key.last_used_at = key.last_used_at.max(self.buffer().touched(key.id));
        }
        Ok(keys)
    }

    /// Notes that a key is being used. Written within a second; a crash may lose it.
    pub fn touch_api_key(&self, id: ApiKeyId) {
        self.buffer().touch(id, self.now());
    }
}

impl Tx {
    /// Creates a key.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`] when the user has [`MAX_CLIENT_KEYS`] client keys.
    pub async fn create_api_key(&mut self, key: &NewApiKey) -> Result<ApiKey, StoreError> {
        if key.kind == ApiKeyKind::Client {
            self.within_limit(
                "UPDATE users SET updated_at = updated_at WHERE id = $1",
                "SELECT COUNT(*) FROM api_keys WHERE user_id = $1 AND key_type = 1",
                key.user_id,
                MAX_CLIENT_KEYS,
            )
            .await?;
        }
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO api_keys (user_id, key_type, identifier, secret_hash, memo, allowed_ips, rights,
                    expires_at, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
                &params![
                    key.user_id,
                    key.kind,
                    key.identifier,
                    key.secret_sha256,
                    key.memo,
                    Json(&key.allowed_ips),
                    Json(&key.rights),
                    key.expires_at,
                    now
                ],
            )
            .await?;
        self.changes.api_keys.push(key.identifier.clone());
        Ok(ApiKey {
            id: cell(row)?,
            user_id: key.user_id,
            kind: key.kind,
            identifier: key.identifier.clone(),
            secret_sha256: key.secret_sha256,
            memo: key.memo.clone(),
            allowed_ips: key.allowed_ips.clone(),
            rights: key.rights.clone(),
            last_used_at: None,
            expires_at: key.expires_at,
            created_at: now,
        })
    }

    /// Deletes one of a user's own keys and tells which one it was.
    pub async fn delete_api_key(
        &mut self,
        user: UserId,
        kind: ApiKeyKind,
        identifier: &str,
    ) -> Result<Option<ApiKeyId>, StoreError> {
        let row = self
            .db()
            .opt(
                "DELETE FROM api_keys WHERE identifier = $1 AND user_id = $2 AND key_type = $3 RETURNING id",
                &params![identifier, user, kind],
            )
            .await?;
        self.changes.api_keys.push(identifier.to_owned());
        row.map(cell).transpose()
    }
}
