//! Who asks: a user, by an API key or by a browser session.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hatchery_auth::{AddressList, PresentedKey, SecretDigest};
use hatchery_store::{ApiKeyKind, KeyActor, StoreError, Subject, User};
use hatchery_vocab::{ApiKeyId, SessionId, Timestamp};
use quick_cache::sync::Cache;
use serde_json::Value;

use crate::Cx;
use crate::activity::Event;
use crate::settings::TwoFactorPolicy;

/// A user who proved who they are, and how.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub user: Arc<User>,
    /// By what.
    pub credential: Credential,
    /// From where.
    pub address: IpAddr,
}

/// How a user proved who they are.
#[derive(Clone, Debug)]
pub enum Credential {
    /// By an API key.
    Key(Arc<KeyActor>),
    /// By a browser session.
    Session(SessionId),
}

impl Actor {
    /// The key that was used, if one was.
    pub fn api_key_id(&self) -> Option<ApiKeyId> {
        match &self.credential {
            Credential::Key(actor) => Some(actor.key.id),
            Credential::Session(_) => None,
        }
    }

    /// Whether an application key was used, which opens another interface than this one.
    pub fn has_application_key(&self) -> bool {
        matches!(&self.credential, Credential::Key(actor) if actor.key.kind == ApiKeyKind::Application)
    }

    /// Whether the panel demands two-factor authentication of this user, who does not use it
    /// (client-api.md §1.6).
    pub fn lacks_two_factor(&self, cx: &Cx) -> bool {
        let demanded = match cx.settings().two_factor {
            TwoFactorPolicy::Nobody => false,
            TwoFactorPolicy::Administrators => self.user.root_admin,
            TwoFactorPolicy::Everybody => true,
        };
        demanded && !self.user.use_totp
    }

    /// Whether the key that was used may be used from where it was used. A refusal is recorded with
    /// the user and the key as subjects (client-api.md §1.4), once a minute for each key.
    pub fn address_is_allowed(&self, cx: &Cx) -> bool {
        let Credential::Key(actor) = &self.credential else {
            return true;
        };
        if actor.key.allowed_ips.is_empty() {
            return true;
        }
        // Only lists that parse are stored; one that does not anyway allows nobody.
        let allowed =
            AddressList::parse(&actor.key.allowed_ips).is_ok_and(|list| list.allows(self.address));
        if !allowed && cx.blocked_keys().is_news(actor.key.id, cx.now()) {
            Event::new("auth:ip-blocked")
                .with("identifier", Value::from(actor.key.identifier.as_str()))
                .about(Subject::User(self.user.id))
                .about(Subject::ApiKey(actor.key.id))
                .by(cx, self);
        }
        allowed
    }
}

/// When refusals of keys were last recorded. Refused requests are not counted by the rate limit, so
/// without this a stolen key could fill the log from anywhere.
#[derive(Debug)]
pub(crate) struct BlockedKeys(Cache<ApiKeyId, Timestamp>);

impl BlockedKeys {
    const KEPT: usize = 1_000;
    const PAUSE: Duration = Duration::from_mins(1);

    pub(crate) fn new() -> Self {
        Self(Cache::new(Self::KEPT))
    }

    fn is_news(&self, key: ApiKeyId, now: Timestamp) -> bool {
        if self
            .0
            .get(&key)
            .is_some_and(|last| now.since(last) < Self::PAUSE)
        {
            return false;
        }
        self.0.insert(key, now);
        true
    }
}

/// Whom an `Authorization` header speaks for; nobody when it proves nothing. The key counts as used
/// from then on, whatever else is refused later.
pub async fn by_authorization(
    cx: &Cx,
    header: &str,
    address: IpAddr,
) -> Result<Option<Actor>, StoreError> {
    let Some(presented) = PresentedKey::from_authorization(header) else {
        return Ok(None);
    };
    let Some(actor) = cx.store().key_actor(presented.identifier.as_str()).await? else {
        return Ok(None);
    };
    let proven = SecretDigest::from_stored(&actor.key.secret_sha256)
        .is_some_and(|digest| presented.proves(&digest));
    let expired = actor.key.expires_at.is_some_and(|end| end <= cx.now());
    if !proven || expired {
        return Ok(None);
    }
    cx.store().touch_api_key(actor.key.id);
    let user = Arc::clone(&actor.user);
    Ok(Some(Actor {
        user,
        credential: Credential::Key(actor),
        address,
    }))
}
