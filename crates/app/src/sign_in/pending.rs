//! The time between the password and the second factor. What is owed is noted on our side, for the
//! browser that gave the password and for nobody else (security.md, CVE-2021-41129).

use std::time::Duration;

use hatchery_auth::{ConfirmationToken, SecretDigest, SessionToken};
use hatchery_store::{PendingSignIn, StoreError};
use serde_json::Value;

use super::second_factor::{Factor, usable, use_up, wrong};
use super::{Browser, Owing, Proven, SignInError, Try, refuse};
use crate::Cx;

/// How long the second factor may take (client-api.md §7.1).
pub const PENDING_LIFETIME: Duration = Duration::from_mins(5);

/// Notes that this browser owes a second factor, and gives what it must send along with it.
pub async fn owe(
    cx: &Cx,
    owing: &Owing,
    session: &SessionToken,
) -> Result<ConfirmationToken, StoreError> {
    let token = ConfirmationToken::generate(cx.entropy());
    let mut tx = cx.store().begin().await?;
    tx.create_pending_sign_in(
        PendingSignIn {
            session_sha256: session.digest().as_bytes(),
            token_sha256: token.digest().as_bytes(),
        },
        owing.0.id,
    )
    .await?;
    tx.commit().await?;
    Ok(token)
}

/// Checks the second factor that a browser owes. It is used up together with what was noted, both or
/// neither.
pub async fn complete(
    cx: &Cx,
    attempt: &Try<'_>,
    session: &SessionToken,
    confirmation: &str,
    factor: Factor<'_>,
) -> Result<Proven, SignInError> {
    let browser = attempt.browser();
    let (session, token) = (session.digest(), SecretDigest::of(confirmation));
    let pending = PendingSignIn {
        session_sha256: session.as_bytes(),
        token_sha256: token.as_bytes(),
    };
    let found = cx
        .store()
        .pending_sign_in(pending, PENDING_LIFETIME)
        .await?;
    let Some(user) = found else {
        return Err(nobody(cx, &session, browser).await?);
    };
    let user = cx.store().user(user).await?;
    let Some(user) = user.filter(|user| user.use_totp) else {
        return Err(SignInError::Expired);
    };
    let usable = usable(cx, &user, factor, browser).await?;
    let mut tx = cx.store().begin().await?;
    let used = use_up(&mut tx, &user, &usable).await? && tx.use_pending_sign_in(pending).await?;
    if !used {
        return Err(wrong(cx, &user, factor, browser));
    }
    tx.commit().await?;
    cx.sign_in_limits().forget_second_factor(user.id);
    Ok(Proven(user))
}

/// Why a confirmation token belongs to nobody: it is wrong, or too old.
async fn nobody(
    cx: &Cx,
    session: &SecretDigest,
    browser: &Browser,
) -> Result<SignInError, StoreError> {
    refuse(cx, "username", Value::Null, None, browser);
    let expected = cx
        .store()
        .has_pending_sign_in(session.as_bytes(), PENDING_LIFETIME)
        .await?;
    Ok(if expected {
        SignInError::WrongCode
    } else {
        SignInError::Expired
    })
}
