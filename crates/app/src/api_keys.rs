//! A person's own keys for the client API.

use hatchery_auth::{AddressRule, ApiKeySecret, KeyKind, NewApiKey as Generated};
use hatchery_rules::FieldError;
use hatchery_store::{ApiKey, ApiKeyKind, NewApiKey, StoreError, Subject};
use serde_json::Value;

use crate::activity::Event;
use crate::{Actor, Cx, revocation};

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There are as many as an account may have.
    #[error("the account has as many API keys as it may have")]
    LimitReached,
    /// Entries of the list of addresses are no addresses.
    #[error("an allowed address is no address")]
    Addresses(Vec<FieldError>),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for CreateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LimitReached { .. } => Self::LimitReached,
            other => Self::Store(other),
        }
    }
}

/// A key that was just made, with the secret that nobody will see again.
#[derive(Debug)]
pub struct Created {
    /// What is kept.
    pub key: ApiKey,
    /// What is not.
    pub secret: ApiKeySecret,
}

/// The keys of the account, oldest first.
pub async fn list(cx: &Cx, actor: &Actor) -> Result<Vec<ApiKey>, StoreError> {
    cx.store()
        .api_keys_of(actor.user.id, ApiKeyKind::Client)
        .await
}

/// Makes a key that works from `allowed_ips`, or from anywhere when there are none.
pub async fn create(
    cx: &Cx,
    actor: &Actor,
    description: &str,
    allowed_ips: Vec<String>,
) -> Result<Created, CreateError> {
    let wrong: Vec<FieldError> = allowed_ips
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| {
            let error = entry.parse::<AddressRule>().err()?;
            Some(FieldError::custom(
                format!("allowed_ips.{index}"),
                error.to_string(),
            ))
        })
        .collect();
    if !wrong.is_empty() {
        return Err(CreateError::Addresses(wrong));
    }
    let generated = Generated::generate(KeyKind::Client, cx.entropy());
    let new = NewApiKey {
        user_id: actor.user.id,
        kind: ApiKeyKind::Client,
        identifier: generated.identifier.to_string(),
        secret_sha256: *generated.secret.digest().as_bytes(),
        memo: description.to_owned(),
        allowed_ips,
        rights: std::collections::BTreeMap::new(),
        expires_at: None,
    };
    let mut tx = cx.store().begin().await?;
    let key = tx.create_api_key(&new).await?;
    tx.commit().await?;
    Event::new("user:api-key.create")
        .with("identifier", Value::from(key.identifier.as_str()))
        .about(Subject::ApiKey(key.id))
        .on_account(cx, actor);
    Ok(Created {
        key,
        secret: generated.secret,
    })
}

/// Deletes a key of the account. Says whether there was one. Consoles and links that it opened end
/// with it; nodes cannot tell by which key a token was got, so all of the person's tokens end, and
/// who may still asks for a new one.
pub async fn delete(cx: &Cx, actor: &Actor, identifier: &str) -> Result<bool, StoreError> {
    let mut tx = cx.store().begin().await?;
    let deleted = tx
        .delete_api_key(actor.user.id, ApiKeyKind::Client, identifier)
        .await?;
    if deleted.is_some() {
        revocation::mark(cx, &mut tx, actor.user.uuid).await?;
    }
    tx.commit().await?;
    if deleted.is_some() {
        revocation::deliver(cx).await?;
        Event::new("user:api-key.delete")
            .with("identifier", Value::from(identifier))
            .on_account(cx, actor);
    }
    Ok(deleted.is_some())
}
