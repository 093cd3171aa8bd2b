//! The second factor: a one-time code, or one of the tokens for those who lost theirs. Each works
//! once, also when many requests send it at the same moment.

use hatchery_auth::{TotpSecret, TotpStep};
use hatchery_store::{RecoveryToken, Tx, User};
use serde_json::Value;

use super::{Browser, Owing, Proven, SignInError, refuse};
use crate::Cx;

/// How many one-time codes before and after the present one are accepted (client-api.md §3.2.3).
pub const TOTP_WINDOW: u16 = 4;

/// What somebody shows beside their password.
#[derive(Clone, Copy)]
pub enum Factor<'a> {
    /// A one-time code.
    Code(&'a str),
    /// A recovery token.
    Recovery(&'a str),
}

/// A factor that fits and is still to be used up.
pub(super) enum Usable {
    Step(TotpStep),
    Token(RecoveryToken),
}

/// Checks the second factor of somebody whose password was right.
pub async fn second_factor(
    cx: &Cx,
    owing: Owing,
    factor: Factor<'_>,
    browser: &Browser,
) -> Result<Proven, SignInError> {
    let Owing(user) = owing;
    let usable = usable(cx, &user, factor, browser).await?;
    let mut tx = cx.store().begin().await?;
    if !use_up(&mut tx, &user, &usable).await? {
        return Err(wrong(cx, &user, factor, browser));
    }
    tx.commit().await?;
    cx.sign_in_limits().forget_second_factor(user.id);
    Ok(Proven(user))
}

/// The factor, if it fits and was not used.
pub(super) async fn usable(
    cx: &Cx,
    user: &User,
    factor: Factor<'_>,
    browser: &Browser,
) -> Result<Usable, SignInError> {
    cx.sign_in_limits().count_second_factor(cx, user.id)?;
    let found = match factor {
        Factor::Code(code) => step(cx, user, code).map(Usable::Step),
        Factor::Recovery(token) => recovery_token(cx, user, token).await?.map(Usable::Token),
    };
    found.ok_or_else(|| wrong(cx, user, factor, browser))
}

/// Uses the factor up. `false` when another request was quicker.
pub(super) async fn use_up(tx: &mut Tx, user: &User, usable: &Usable) -> Result<bool, SignInError> {
    Ok(match usable {
        Usable::Step(step) => tx.accept_totp_step(user.id, step.to_stored()).await?,
        Usable::Token(token) => tx.use_recovery_token(user.id, token.id).await?,
    })
}

/// Records that the second factor was wrong. No name is typed at this step, so none is recorded.
pub(super) fn wrong(cx: &Cx, user: &User, factor: Factor<'_>, browser: &Browser) -> SignInError {
    refuse(cx, "username", Value::Null, Some(user.id), browser);
    match factor {
        Factor::Code(_) => SignInError::WrongCode,
        Factor::Recovery(_) => SignInError::WrongRecoveryToken,
    }
}

/// The step that a code belongs to, if it was not used.
pub(crate) fn step(cx: &Cx, user: &User, code: &str) -> Option<TotpStep> {
    let secret: TotpSecret = user.totp_secret.as_ref()?.expose().parse().ok()?;
    let last = user.totp_last_step.map(TotpStep::from_stored);
    secret.accept(code, cx.now(), TOTP_WINDOW, last)
}

async fn recovery_token(
    cx: &Cx,
    user: &User,
    presented: &str,
) -> Result<Option<RecoveryToken>, SignInError> {
    for token in cx.store().recovery_tokens_of(user.id).await? {
        let hash = Some(token.hash.expose());
        if cx.passwords().verify(presented, hash).await?.is_right() {
            return Ok(Some(token));
        }
    }
    Ok(None)
}
