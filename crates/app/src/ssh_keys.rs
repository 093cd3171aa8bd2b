//! People's public keys for SFTP (client-api.md §3.2.11 to §3.2.13).

use hatchery_auth::SshPublicKey;
use hatchery_rules::FieldError;
use hatchery_store::{SshKey, StoreError, Subject};

use crate::activity::Event;
use crate::{Actor, Cx, revocation};

const FIELD: &str = "public_key";
const INVALID: &str = "The public key provided is not valid.";
const DSA: &str = "DSA keys are not supported.";
const SHORT_RSA: &str = "RSA keys must be at least 2048 bytes in length.";
const EXISTS: &str = "The public key provided already exists on your account.";

/// Why no key was added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The account has it already.
    #[error("the account has this key already")]
    Exists(FieldError),
    /// There are as many as an account may have.
    #[error("the account has as many SSH keys as it may have")]
    LimitReached,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AddError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LimitReached { .. } => Self::LimitReached,
            error if error.unique() == Some("ssh_keys_user_fingerprint") => {
                Self::Exists(FieldError::custom(FIELD, EXISTS))
            }
            error => Self::Store(error),
        }
    }
}

/// The keys of the account, oldest first.
pub async fn list(cx: &Cx, actor: &Actor) -> Result<Vec<SshKey>, StoreError> {
    cx.store().ssh_keys_of(actor.user.id).await
}

/// Reads a key, or says everything that speaks against it.
pub async fn check(
    cx: &Cx,
    actor: &Actor,
    text: &str,
) -> Result<Result<SshPublicKey, Vec<FieldError>>, StoreError> {
    let complaint = |detail| FieldError::custom(FIELD, detail);
    let Ok(key) = text.parse::<SshPublicKey>() else {
        return Ok(Err(vec![complaint(INVALID)]));
    };
    let mut complaints = Vec::new();
    if key.is_dsa() {
        complaints.push(complaint(DSA));
    }
    if key.is_short_rsa() {
        complaints.push(complaint(SHORT_RSA));
    }
    let fingerprint = key.fingerprint();
    let keys = list(cx, actor).await?;
    if keys.iter().any(|key| key.fingerprint == fingerprint) {
        complaints.push(complaint(EXISTS));
    }
    Ok(if complaints.is_empty() {
        Ok(key)
    } else {
        Err(complaints)
    })
}

/// Adds a key that was checked.
pub async fn add(
    cx: &Cx,
    actor: &Actor,
    name: &str,
    key: &SshPublicKey,
) -> Result<SshKey, AddError> {
    let mut tx = cx.store().begin().await?;
    let added = tx
        .create_ssh_key(actor.user.id, name, &key.fingerprint(), &key.to_pem())
        .await?;
    tx.commit().await?;
    Event::new("user:ssh-key.create")
        .with("fingerprint", added.fingerprint.as_str())
        .about(Subject::SshKey(added.id))
        .on_account(cx, actor);
    Ok(added)
}

/// Removes a key, if the account has it. What was opened with it ends.
pub async fn remove(cx: &Cx, actor: &Actor, fingerprint: &str) -> Result<(), StoreError> {
    let mut tx = cx.store().begin().await?;
    let Some(removed) = tx.delete_ssh_key(actor.user.id, fingerprint).await? else {
        return Ok(());
    };
    revocation::mark(cx, &mut tx, actor.user.uuid).await?;
    tx.commit().await?;
    revocation::deliver(cx).await?;
    Event::new("user:ssh-key.delete")
        .with("fingerprint", fingerprint)
        .about(Subject::SshKey(removed))
        .on_account(cx, actor);
    Ok(())
}
