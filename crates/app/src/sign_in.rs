//! Proving who one is in a browser: the password first, then, where it is on, the second factor
//! (client-api.md §7.1 and §7.2). There is one way through, and its types keep the order: only what
//! this module proved can open a session.

mod limits;
mod pending;
mod second_factor;

use std::net::IpAddr;
use std::sync::Arc;

use hatchery_auth::{PasswordError, PasswordVerdict};
use hatchery_store::{Secret, StoreError, Subject, User};
use hatchery_vocab::UserId;
use serde_json::Value;

use crate::Cx;
use crate::activity::Event;
use crate::windows::Exceeded;

pub(crate) use limits::Limits;
pub use limits::{Browser, Try};
pub use pending::{PENDING_LIFETIME, complete, owe};
pub(crate) use second_factor::step;
pub use second_factor::{Factor, TOTP_WINDOW, second_factor};

/// The longest name that a failed attempt is recorded with: strangers do not fill the log.
const MAX_LOGIN: usize = 191;

/// Somebody who proved who they are.
#[derive(Debug)]
pub struct Proven(pub(crate) Arc<User>);

impl Proven {
    /// Who it is.
    pub fn user(&self) -> &Arc<User> {
        &self.0
    }
}

/// Somebody whose password was right and who owes a second factor.
#[derive(Debug)]
pub struct Owing(Arc<User>);

/// What the right password led to.
#[derive(Debug)]
pub enum Step {
    /// Nothing more is needed.
    Proven(Proven),
    /// A second factor is.
    Owing(Owing),
}

/// Why nobody proved who they are.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// There is no such user, or the password is wrong: nobody is told which.
    #[error("no account matches these credentials")]
    NoMatch,
    /// The one-time code or the confirmation token is wrong.
    #[error("the one-time code is wrong")]
    WrongCode,
    /// The recovery token is wrong.
    #[error("the recovery code is wrong")]
    WrongRecoveryToken,
    /// Nobody's second factor is expected from this browser any more.
    #[error("the sign-in took too long")]
    Expired,
    /// Too many attempts failed.
    #[error("too many attempts failed")]
    LockedOut(Exceeded),
    /// Too many others are signing in.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks a name or e-mail address and a password. Unknown names take as long as wrong passwords do.
pub async fn by_password(
    cx: &Cx,
    attempt: &Try<'_>,
    login: &str,
    password: &str,
) -> Result<Step, SignInError> {
    attempt.count_failure(cx)?;
    let user = cx.store().user_by_login(login).await?;
    let stored = user.as_ref().map(|user| user.password.expose());
    let verdict = cx.passwords().verify(password, stored).await?;
    let known = user.as_ref().map(|user| user.id);
    let Some(user) = user.filter(|_| verdict.is_right()) else {
        refuse_login(cx, login, known, attempt.browser());
        return Err(SignInError::NoMatch);
    };
    attempt.forget_failures(cx);
    if verdict == PasswordVerdict::RightButOutdated {
        renew_hash(cx, &user, password).await?;
    }
    let user = Arc::new(user);
    if user.use_totp {
        event("auth:checkpoint", attempt.browser())
            .about(Subject::User(user.id))
            .by_nobody(cx, attempt.browser().address);
        Ok(Step::Owing(Owing(user)))
    } else {
        Ok(Step::Proven(Proven(user)))
    }
}

/// Records an attempt that failed; the account that was tried, if there is one, sees it in its log.
fn refuse_login(cx: &Cx, login: &str, tried: Option<UserId>, browser: &Browser) {
    let field = if login.contains('@') {
        "email"
    } else {
        "username"
    };
    let login = &login[..login.floor_char_boundary(MAX_LOGIN)];
    refuse(cx, field, text_or_null(login), tried, browser);
}

fn refuse(cx: &Cx, field: &'static str, value: Value, tried: Option<UserId>, browser: &Browser) {
    let mut event = event("auth:fail", browser).with(field, value);
    if let Some(user) = tried {
        event = event.about(Subject::User(user));
    }
    event.by_nobody(cx, browser.address);
}

async fn renew_hash(cx: &Cx, user: &User, password: &str) -> Result<(), SignInError> {
    let hash = Secret::new(cx.passwords().hash(password).await?);
    let mut tx = cx.store().begin().await?;
    // Not when the password was changed in the meantime.
    tx.renew_password_hash(user.id, &user.password, &hash)
        .await?;
    tx.commit().await?;
    Ok(())
}

pub(crate) fn event(name: &'static str, browser: &Browser) -> Event {
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

/// An IPv6 client counts by its network of 64 bits, since it can choose among its addresses.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        IpAddr::V4(address) => address.into(),
    }
}
