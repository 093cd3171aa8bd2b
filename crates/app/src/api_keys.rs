//! People's API keys.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hatchery_auth::{AddressRule, ApiKeySecret, KeyKind, NewApiKey as Generated};
use hatchery_rules::FieldError;
use hatchery_store::{ApiKey, ApiKeyKind, NewApiKey, StoreError, Subject, Tx};
use hatchery_vocab::UserId;
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

impl Created {
    /// The whole key as a client sends it. Never log this.
    pub fn expose(&self) -> String {
        format!("{}{}", self.key.identifier, self.secret.expose())
    }
}

/// A key that somebody asks for.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    /// What it opens.
    pub kind: KeyKind,
    /// What it is for.
    pub description: String,
    /// From where it may be used; none means everywhere. Each entry must be valid.
    pub allowed_ips: Vec<String>,
}

/// Makes a key inside a transaction.
pub async fn make(
    cx: &Cx,
    tx: &mut Tx,
    owner: UserId,
    request: KeyRequest,
) -> Result<Created, StoreError> {
    /// Read and write, for every resource of the application API.
    const ALL: u8 = 3;
    const RESOURCES: [&str; 9] = [
        "allocations",
        "database_hosts",
        "eggs",
        "locations",
        "nests",
        "nodes",
        "server_databases",
        "servers",
        "users",
    ];
    let generated = Generated::generate(request.kind, cx.entropy());
    let (kind, rights) = match request.kind {
        KeyKind::Client => (ApiKeyKind::Client, BTreeMap::new()),
        KeyKind::Application => {
            let rights = RESOURCES.map(|resource| (resource.to_owned(), ALL));
            (ApiKeyKind::Application, BTreeMap::from(rights))
        }
    };
    let key = tx
        .create_api_key(&NewApiKey {
            user_id: owner,
            kind,
            identifier: generated.identifier.to_string(),
            secret_sha256: *generated.secret.digest().as_bytes(),
            memo: request.description,
            allowed_ips: request.allowed_ips,
            rights,
            expires_at: None,
        })
        .await?;
    Ok(Created {
        key,
        secret: generated.secret,
    })
}

/// Who asks for a key without being signed in to the API.
#[derive(Clone, Copy, Debug)]
pub enum Asker {
    /// The owner, on a page, from this address.
    Owner(IpAddr),
    /// Whoever runs the panel, on the machine itself.
    Operator,
}

/// Makes a key for somebody and records it.
pub async fn make_for(
    cx: &Cx,
    owner: UserId,
    asker: Asker,
    request: KeyRequest,
) -> Result<Created, StoreError> {
    let mut tx = cx.store().begin().await?;
    let created = make(cx, &mut tx, owner, request).await?;
    tx.commit().await?;
    let event = Event::new("user:api-key.create")
        .with("identifier", created.key.identifier.as_str())
        .about(Subject::User(owner))
        .about(Subject::ApiKey(created.key.id));
    match asker {
        Asker::Owner(address) => event.by_user(cx, owner, address),
        Asker::Operator => event.by_operator(cx),
    }
    Ok(created)
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
    let request = KeyRequest {
        kind: KeyKind::Client,
        description: description.to_owned(),
        allowed_ips,
    };
    let mut tx = cx.store().begin().await?;
    let created = make(cx, &mut tx, actor.user.id, request).await?;
    tx.commit().await?;
    Event::new("user:api-key.create")
        .with("identifier", Value::from(created.key.identifier.as_str()))
        .about(Subject::ApiKey(created.key.id))
        .on_account(cx, actor);
    Ok(created)
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
