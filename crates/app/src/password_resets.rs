//! Links with which somebody chooses a password: after an invitation, or when they forgot theirs
//! (client-api.md §7.3 and §7.4).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hatchery_auth::{OneTimeToken, PasswordError, SecretDigest};
use hatchery_mail::{Letter, Recipient};
use hatchery_store::{Secret, StoreError, Subject, Tx, User};
use hatchery_vocab::UserId;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::sign_in::{self, Browser, network};
use crate::windows::{Exceeded, Quota};
use crate::{Cx, revocation};

/// How long a link works (client-api.md §7.3).
pub const LIFETIME: Duration = Duration::from_hours(1);
/// How long somebody waits for the next link (client-api.md §7.3).
const PAUSE: Duration = Duration::from_mins(1);

/// Why no password was chosen.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The link is wrong, or was used, or is too old, or belongs to somebody else, or to nobody.
    #[error("this link is no longer valid")]
    LinkInvalid,
    /// The password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a link for a user in the transaction that creates them. What it gives is the link's path,
/// for [`Letter::AccountCreated`]; it is a secret.
pub async fn invite(cx: &Cx, tx: &mut Tx, user: UserId, email: &str) -> Result<String, StoreError> {
    let token = OneTimeToken::generate(cx.entropy());
    tx.start_password_reset(user, token.digest().as_bytes(), Duration::ZERO)
        .await?;
    Ok(path(&token, email))
}

/// Whether this address may ask for a link, which counts as having asked.
pub fn admit(cx: &Cx, address: IpAddr) -> Result<Quota, Exceeded> {
    cx.sign_in_limits()
        .forgotten
        .hit(network(address), cx.now())
}

/// Sends somebody a link, unless there is nobody of that address or they got one just now. The caller
/// does not learn which.
pub async fn forgot(cx: &Cx, email: &str, browser: &Browser) -> Result<(), StoreError> {
    let user = cx.store().user_by_login(email).await?;
    let token = OneTimeToken::generate(cx.entropy());
    let mut tx = cx.store().begin().await?;
    let started = match &user {
        Some(user) => {
            tx.start_password_reset(user.id, token.digest().as_bytes(), PAUSE)
                .await?
        }
        // As much work for nobody, so that time does not tell who has an account.
        None => tx.delete_ended_password_resets(LIFETIME).await? == u64::MAX,
    };
    tx.commit().await?;
    if let Some(user) = user.filter(|_| started) {
        cx.mail().send(
            Recipient {
                name: &user.username,
                address: &user.email,
            },
            Letter::PasswordReset {
                path: &path(&token, &user.email),
                minutes: LIFETIME.as_secs() / 60,
            },
        );
        sign_in::event("auth:reset-password", browser)
            .about(Subject::User(user.id))
            .by_nobody(cx, browser.address);
    }
    Ok(())
}

/// Whether a link would work.
pub async fn is_valid(cx: &Cx, email: &str, token: &str) -> Result<bool, StoreError> {
    Ok(holder(cx, email, &SecretDigest::of(token)).await?.is_some())
}

/// Chooses a password with a link, which works once. All browsers are signed out, consoles and links
/// end; keys go on working.
pub async fn reset(
    cx: &Cx,
    email: &str,
    token: &str,
    password: &str,
) -> Result<Arc<User>, ResetError> {
    let digest = SecretDigest::of(token);
    // Before the hash, which takes long: strangers do not get it for nothing.
    let Some(user) = holder(cx, email, &digest).await? else {
        return Err(ResetError::LinkInvalid);
    };
    let hash = Secret::new(cx.passwords().hash(password).await?);
    let mut tx = cx.store().begin().await?;
    if !tx
        .use_password_reset(user.id, digest.as_bytes(), LIFETIME)
        .await?
    {
        return Err(ResetError::LinkInvalid);
    }
    tx.set_user_password(user.id, &hash).await?;
    tx.delete_sessions_of(user.id, None).await?;
    tx.delete_pending_sign_ins_of(user.id).await?;
    revocation::mark(cx, &mut tx, user.uuid).await?;
    tx.commit().await?;
    revocation::deliver(cx).await?;
    cx.mail().send(
        Recipient {
            name: &user.username,
            address: &user.email,
        },
        Letter::PasswordChanged,
    );
    Ok(Arc::new(user))
}

async fn holder(cx: &Cx, email: &str, digest: &SecretDigest) -> Result<Option<User>, StoreError> {
    let Some(user) = cx.store().user_by_login(email).await? else {
        return Ok(None);
    };
    let holds = cx
        .store()
        .has_password_reset(user.id, digest.as_bytes(), LIFETIME)
        .await?;
    Ok(holds.then_some(user))
}

fn path(token: &OneTimeToken, email: &str) -> String {
    let email = utf8_percent_encode(email, NON_ALPHANUMERIC);
    format!("/auth/password/reset/{}?email={email}", token.expose())
}
