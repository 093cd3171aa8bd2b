//! What people change about their own account: e-mail address and password (client-api.md §3.2.5 and
//! §3.2.6), both only with the present password.

use hatchery_auth::PasswordError;
use hatchery_mail::{Letter, Recipient};
use hatchery_store::{Secret, StoreError};
use hatchery_vocab::SessionId;

use crate::activity::Event;
use crate::windows::Exceeded;
use crate::{Actor, Credential, Cx, revocation};

/// Why somebody could not show that they know their password.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It is wrong.
    #[error("the password is wrong")]
    Wrong,
    /// Too many wrong ones came before.
    #[error("too many wrong passwords were given")]
    TooMany(Exceeded),
    /// It could not be checked.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an e-mail address was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    /// Somebody else has it.
    #[error("the e-mail address is taken")]
    Taken,
    /// The caller found out too many taken ones.
    #[error("too many taken addresses were tried")]
    TooMany(Exceeded),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

/// Proof that the caller knows the account's password.
#[derive(Debug)]
pub struct KnowsPassword(());

/// Checks the password of the caller's account.
pub async fn prove_password(
    cx: &Cx,
    actor: &Actor,
    password: &str,
) -> Result<KnowsPassword, ProofError> {
    let (proofs, user) = (&cx.sign_in_limits().proofs, &actor.user);
    // Counted before the outcome is known, so that guesses at the same time cannot all slip through.
    proofs.hit(user.id, cx.now()).map_err(ProofError::TooMany)?;
    let stored = Some(user.password.expose());
    if !cx.passwords().verify(password, stored).await?.is_right() {
        return Err(ProofError::Wrong);
    }
    proofs.clear(user.id);
    Ok(KnowsPassword(()))
}

/// Gives the account another e-mail address. The old one is told.
pub async fn change_email(
    cx: &Cx,
    actor: &Actor,
    _: &KnowsPassword,
    email: &str,
) -> Result<(), EmailError> {
    let user = &actor.user;
    if user.email == email {
        return Ok(());
    }
    let now = cx.now();
    let taken = &cx.sign_in_limits().taken_addresses;
    // Counted for every change and given back for those that tell nothing.
    taken.hit(user.id, now).map_err(EmailError::TooMany)?;
    let changed = async {
        let mut tx = cx.store().begin().await?;
        tx.set_user_email(user.id, email).await?;
        // A link that was sent to the old address names it.
        tx.delete_password_reset_of(user.id).await?;
        tx.commit().await
    };
    match changed.await {
        Ok(_) => {}
        Err(error) if error.unique() == Some("users_email") => return Err(EmailError::Taken),
        Err(error) => return Err(EmailError::Store(error)),
    }
    taken.give_back(user.id);
    Event::new("user:account.email-changed")
        .with("old", user.email.as_str())
        .with("new", email)
        .on_account(cx, actor);
    cx.mail()
        .send(recipient(actor), Letter::EmailChanged { new: email });
    Ok(())
}

/// Gives the account another password. The browser that asked stays signed in, all others do not;
/// consoles and links end, and keys go on working.
pub async fn change_password(
    cx: &Cx,
    actor: &Actor,
    _: &KnowsPassword,
    password: &str,
) -> Result<(), ProofError> {
    let user = &actor.user;
    let hash = Secret::new(cx.passwords().hash(password).await?);
    let mut tx = cx.store().begin().await?;
    if !tx
        .replace_user_password(user.id, &user.password, &hash)
        .await?
    {
        // Another request changed it first, so what was proven holds no more.
        return Err(ProofError::Wrong);
    }
    tx.delete_sessions_of(user.id, session(actor)).await?;
    tx.delete_pending_sign_ins_of(user.id).await?;
    tx.delete_password_reset_of(user.id).await?;
    revocation::mark(cx, &mut tx, user.uuid).await?;
    tx.commit().await?;
    revocation::deliver(cx).await?;
    Event::new("user:account.password-changed").on_account(cx, actor);
    cx.mail().send(recipient(actor), Letter::PasswordChanged);
    Ok(())
}

const fn session(actor: &Actor) -> Option<SessionId> {
    match actor.credential {
        Credential::Session(id) => Some(id),
        Credential::Key(_) => None,
    }
}

/// The caller, as letters address them.
pub(crate) fn recipient(actor: &Actor) -> Recipient<'_> {
    Recipient {
        name: &actor.user.username,
        address: &actor.user.email,
    }
}
