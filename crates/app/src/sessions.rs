//! Signing in with a browser (client-api.md §7).

use std::net::IpAddr;
use std::sync::Arc;

use hatchery_auth::{PasswordError, SessionToken};
use hatchery_store::{NewSession, Secret, StoreError, Subject, User};
use hatchery_vocab::UserId;
use serde_json::Value;

use crate::activity::Event;
use crate::{Actor, Credential, Cx};

/// A browser as it introduces itself.
#[derive(Clone, Debug)]
pub struct Browser {
    /// From where.
    pub address: IpAddr,
    /// What it calls itself.
    pub user_agent: String,
}

/// The longest name of a browser that is kept.
const MAX_USER_AGENT: usize = 512;

/// The longest name that a failed attempt is recorded with: strangers do not fill the log.
const MAX_LOGIN: usize = 191;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// There is no such user, or the password is wrong: nobody is told which.
    #[error("no account matches these credentials")]
    NoMatch,
    /// The user must give a second factor, which this panel cannot ask for yet.
    #[error("a second factor is needed")]
    SecondFactor,
    /// Too many others are signing in.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who is signed in, and the token for the browser's cookie.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user: Arc<User>,
    /// For the cookie.
    pub token: SessionToken,
}

/// Signs someone in by name or e-mail address and password. Unknown names take as long as wrong
/// passwords do.
pub async fn sign_in(
    cx: &Cx,
    login: &str,
    password: &str,
    browser: &Browser,
) -> Result<SignedIn, SignInError> {
    let user = cx.store().user_by_login(login).await?;
    let stored = user.as_ref().map(|user| user.password.expose());
    let verdict = cx.passwords().verify(password, stored).await?;
    let known = user.as_ref().map(|user| user.id);
    let Some(user) = user.filter(|_| verdict.is_right()) else {
        return Err(refuse(cx, login, known, browser));
    };
    if user.use_totp {
        return Err(SignInError::SecondFactor);
    }
    if verdict == hatchery_auth::PasswordVerdict::RightButOutdated {
        renew_hash(cx, user.id, password).await?;
    }
    let token = open(cx, user.id, browser).await?;
    let user = Arc::new(user);
    authentication_event("auth:success", browser)
        .about(Subject::User(user.id))
        .by_user(cx, user.id, browser.address);
    Ok(SignedIn { user, token })
}

/// Records an attempt that failed; the account that was tried, if there is one, sees it in its log.
fn refuse(cx: &Cx, login: &str, tried: Option<UserId>, browser: &Browser) -> SignInError {
    let field = if login.contains('@') {
        "email"
    } else {
        "username"
    };
    let login = &login[..login.floor_char_boundary(MAX_LOGIN)];
    let mut event = authentication_event("auth:fail", browser).with(field, text_or_null(login));
    if let Some(user) = tried {
        event = event.about(Subject::User(user));
    }
    event.by_nobody(cx, browser.address);
    SignInError::NoMatch
}

/// Opens a session for a user who proved who they are.
pub async fn open(cx: &Cx, user: UserId, browser: &Browser) -> Result<SessionToken, StoreError> {
    let token = SessionToken::generate(cx.entropy());
    let mut user_agent = browser.user_agent.clone();
    user_agent.truncate(user_agent.floor_char_boundary(MAX_USER_AGENT));
    let mut tx = cx.store().begin().await?;
    tx.create_session(&NewSession {
        user_id: user,
        token_sha256: *token.digest().as_bytes(),
        csrf_token: Secret::new(token.csrf().expose()),
        ip: browser.address.to_string(),
        user_agent,
        lifetime: cx.settings().session_lifetime,
    })
    .await?;
    tx.commit().await?;
    Ok(token)
}

/// Who a session's cookie speaks for.
pub async fn resume(
    cx: &Cx,
    token: &SessionToken,
    address: IpAddr,
) -> Result<Option<Actor>, StoreError> {
    let Some(session) = cx.store().session(token.digest().as_bytes()).await? else {
        return Ok(None);
    };
    let user = cx.store().user(session.user_id).await?;
    Ok(user.map(|user| Actor {
        user,
        credential: Credential::Session(session.id),
        address,
    }))
}

/// Ends a session.
pub async fn close(cx: &Cx, token: &SessionToken) -> Result<(), StoreError> {
    let mut tx = cx.store().begin().await?;
    tx.delete_session(token.digest().as_bytes()).await?;
    tx.commit().await?;
    Ok(())
}

async fn renew_hash(cx: &Cx, user: UserId, password: &str) -> Result<(), SignInError> {
    let hash = cx.passwords().hash(password).await?;
    let mut tx = cx.store().begin().await?;
    tx.set_user_password(user, &Secret::new(hash)).await?;
    tx.commit().await?;
    Ok(())
}

fn authentication_event(name: &'static str, browser: &Browser) -> Event {
    Event::new(name)
        .with("ip", browser.address.to_string())
        .with("useragent", text_or_null(&browser.user_agent))
}

/// What was not given is recorded as null.
fn text_or_null(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        Value::from(text)
    }
}
