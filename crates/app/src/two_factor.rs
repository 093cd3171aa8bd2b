//! Two-factor authentication of one's own account (client-api.md §3.2.2 to §3.2.4).

use hatchery_auth::TotpSecret;
use hatchery_mail::Letter;
use hatchery_store::{Secret, StoreError};

use crate::account::{KnowsPassword, ProofError, recipient};
use crate::activity::Event;
use crate::{Actor, Cx, revocation, sign_in};

/// How many recovery tokens there are, and of how many characters (client-api.md §3.2.3).
const RECOVERY_TOKENS: usize = 10;
const RECOVERY_TOKEN: usize = 10;

/// What an authenticator is set up with.
pub struct Enrolment {
    /// The secret, to be typed.
    pub secret: String,
    /// The link, to be scanned.
    pub url: String,
}

/// Why two-factor authentication was not set up.
#[derive(Debug, thiserror::Error)]
pub enum TwoFactorError {
    /// It is on already.
    #[error("two-factor authentication is on already")]
    AlreadyOn,
    /// The code is wrong or was used, or there is no secret yet.
    #[error("the one-time code is wrong")]
    WrongCode,
    /// The tokens could not be hashed.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a new secret. Two-factor authentication stays off until a code of it is shown.
pub async fn begin(cx: &Cx, actor: &Actor) -> Result<Enrolment, TwoFactorError> {
    let secret = TotpSecret::generate(cx.entropy());
    let mut tx = cx.store().begin().await?;
    let stored = Secret::new(secret.expose());
    if !tx.set_totp_secret(actor.user.id, &stored).await? {
        return Err(TwoFactorError::AlreadyOn);
    }
    tx.commit().await?;
    Ok(Enrolment {
        url: secret.enrolment_url(&cx.settings().app_name, &actor.user.email),
        secret: secret.expose(),
    })
}

/// Turns it on with a code, which is used up, and gives new recovery tokens. When it is on already,
/// the old tokens end.
pub async fn enable(
    cx: &Cx,
    actor: &Actor,
    _: &KnowsPassword,
    code: &str,
) -> Result<Vec<String>, TwoFactorError> {
    let user = &actor.user;
    let step = sign_in::step(cx, user, code).ok_or(TwoFactorError::WrongCode)?;
    let secret = user.totp_secret.as_ref().ok_or(TwoFactorError::WrongCode)?;
    let tokens: Vec<String> = (0..RECOVERY_TOKENS)
        .map(|_| cx.entropy().alphanumeric(RECOVERY_TOKEN))
        .collect();
    let mut hashes = Vec::with_capacity(tokens.len());
    for token in &tokens {
        let hash = cx.passwords().hash(token).await;
        hashes.push(Secret::new(hash.map_err(ProofError::from)?));
    }
    let mut tx = cx.store().begin().await?;
    // Of two requests with the same code one is refused, and so is a code of a secret that was
    // replaced in the meantime.
    let accepted = tx.accept_totp_step(user.id, step.to_stored()).await?
        && tx.enable_totp(user.id, secret).await?;
    if !accepted {
        return Err(TwoFactorError::WrongCode);
    }
    tx.replace_recovery_tokens(user.id, &hashes).await?;
    revocation::mark(cx, &mut tx, user.uuid).await?;
    tx.commit().await?;
    revocation::deliver(cx).await?;
    Event::new("user:two-factor.create").on_account(cx, actor);
    cx.mail().send(recipient(actor), Letter::TwoFactorEnabled);
    Ok(tokens)
}

/// Turns it off. The secret and the recovery tokens stay, of no use until it is on again.
pub async fn disable(cx: &Cx, actor: &Actor, _: &KnowsPassword) -> Result<(), StoreError> {
    let user = &actor.user;
    let mut tx = cx.store().begin().await?;
    tx.disable_totp(user.id).await?;
    if user.use_totp {
        revocation::mark(cx, &mut tx, user.uuid).await?;
    }
    tx.commit().await?;
    // Recorded in any case (client-api.md §3.2.4).
    Event::new("user:two-factor.delete").on_account(cx, actor);
    if user.use_totp {
        revocation::deliver(cx).await?;
        cx.mail().send(recipient(actor), Letter::TwoFactorDisabled);
    }
    Ok(())
}
