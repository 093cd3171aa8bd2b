//! Sessions of browsers: opened for who proved who they are, resumed by a cookie, closed
//! (client-api.md §1.5).

use std::net::IpAddr;
use std::time::Duration;

use hatchery_auth::SessionToken;
use hatchery_store::{NewSession, Secret, StoreError, Subject};
use hatchery_vocab::UserId;

use crate::sign_in::{self, Browser, Proven};
use crate::{Actor, Credential, Cx};

/// The longest name of a browser that is kept.
const MAX_USER_AGENT: usize = 512;
/// How much of a session's life may pass before a request prolongs it: not every request writes.
const PROLONG_AFTER: Duration = Duration::from_mins(5);

/// Signs someone in. The token is for the browser's cookie.
pub async fn sign_in(
    cx: &Cx,
    person: &Proven,
    browser: &Browser,
) -> Result<SessionToken, StoreError> {
    let user = person.user().id;
    let token = open(cx, user, browser).await?;
    sign_in::event("auth:success", browser)
        .about(Subject::User(user))
        .by_user(cx, user, browser.address);
    Ok(token)
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

/// Who a session's cookie speaks for. The session lasts its whole lifetime from now on.
pub async fn resume(
    cx: &Cx,
    token: &SessionToken,
    address: IpAddr,
) -> Result<Option<Actor>, StoreError> {
    let Some(session) = cx.store().session(token.digest().as_bytes()).await? else {
        return Ok(None);
    };
    let lifetime = cx.settings().session_lifetime;
    if session.expires_at.since(cx.now()) + PROLONG_AFTER <= lifetime {
        let mut tx = cx.store().begin().await?;
        tx.extend_session(session.id, lifetime).await?;
        tx.commit().await?;
    }
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
