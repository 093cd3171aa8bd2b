//! The other people who may use a server: invited, given permissions, sent away
//! (client-api.md §3.9).

use std::sync::Arc;

use hatchery_auth::PasswordError;
use hatchery_mail::{Letter, Recipient};
use hatchery_store::{NewUser, Secret, ServerSnapshot, StoreError, Subject, Subuser, User};
use hatchery_vocab::{Permission, UserId, UserUuid};
use serde_json::Value;

use crate::access::{Access, needs};
use crate::activity::Event;
use crate::detached::to_the_end;
use crate::{Cx, password_resets, revocation, users};

/// Permissions that somebody may give, which is the proof that they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted(Vec<String>);

/// Somebody would give what they lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody gives permissions that they lack")]
pub struct NotPossessed;

impl Granted {
    /// The known ones of the permissions that are asked for, in their order, and always the one to
    /// open the console. Owners and administrators give what they like; others what they have, and
    /// an unknown one is one that they lack.
    pub fn check<'a, P>(
        access: &Access<P>,
        asked: impl IntoIterator<Item = &'a Value>,
    ) -> Result<Self, NotPossessed> {
        const ALWAYS: &str = Permission::WebsocketConnect.key();
        let standing = &access.standing;
        let gives_all = standing.is_owner || standing.is_admin;
        let mut granted: Vec<String> = Vec::new();
        let mut give = |name: &str| {
            if Permission::from_key(name).is_some() && granted.iter().all(|given| given != name) {
                granted.push(name.to_owned());
            }
        };
        for value in asked {
            let name = value.as_str();
            let possessed =
                |name: &str| standing.stored_permissions().iter().any(|own| own == name);
            if !gives_all && !name.is_some_and(possessed) {
                return Err(NotPossessed);
            }
            name.into_iter().for_each(&mut give);
        }
        give(ALWAYS);
        Ok(Self(granted))
    }
}

/// Why nobody became a subuser.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// It is the owner.
    #[error("the owner has every permission already")]
    Owner,
    /// It is a subuser already.
    #[error("the person is a subuser already")]
    Exists,
    /// The new account's password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for CreateError {
    fn from(error: StoreError) -> Self {
        match error.unique() {
            Some("subusers_server_user") => Self::Exists,
            _ => Self::Store(error),
        }
    }
}

/// Lets the person with this address use a server. Who has no account gets one, and a letter that
/// lets them choose a password.
pub async fn create(
    cx: &Cx,
    access: &Access<needs::UserCreate>,
    email: &str,
    Granted(permissions): Granted,
) -> Result<(Subuser, Arc<User>), CreateError> {
    let server = &access.server;
    let (id, invitation) = admit(cx, server, email, &permissions).await?;
    let user = cx
        .store()
        .user(id)
        .await?
        .ok_or_else(|| gone("the new subuser"))?;
    let subuser = cx.store().subuser(user.id, server.id).await?;
    // It is missing only when somebody removed it just now.
    let subuser = subuser.ok_or_else(|| gone("the new subuser"))?;
    let letter = match &invitation {
        Some(path) => Letter::AccountCreated {
            username: &user.username,
            server: &server.name,
            path,
        },
        None => Letter::AddedToServer {
            server: &server.name,
            path: &format!("/server/{}", server.short),
        },
    };
    cx.mail().send(recipient(&user), letter);
    Event::new("server:subuser.create")
        .with("email", user.email.as_str())
        .with("permissions", permissions)
        .about(Subject::User(user.id))
        .on_server(cx, access);
    Ok((subuser, user))
}

/// An account for somebody who has none: nobody knows its password.
async fn new_account(cx: &Cx, email: &str) -> Result<NewUser, PasswordError> {
    let password = users::generate_password(cx);
    Ok(NewUser {
        uuid: UserUuid::new(cx.entropy().uuid()),
        external_id: None,
        username: username(email, &cx.entropy().alphanumeric(SUFFIX)),
        email: email.to_owned(),
        name_first: Some("Server".to_owned()),
        name_last: Some("Subuser".to_owned()),
        password: Secret::new(cx.passwords().hash(&password).await?),
        language: "en".to_owned(),
        root_admin: false,
    })
}

/// How many random characters end the name of a new account.
const SUFFIX: usize = 3;

/// A name to sign in with, after the address: what is no letter, digit, `_`, `.` or `-` is left
/// out, and the name begins with a letter or digit.
fn username(email: &str, suffix: &str) -> String {
    const LONGEST: usize = 64;
    let local = email.split('@').next().unwrap_or_default();
    let kept: String = local
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-'))
        .take(LONGEST)
        .collect();
    let name = kept.trim_matches(|char: char| !char.is_ascii_alphanumeric());
    format!("{name}{suffix}").to_ascii_lowercase()
}

/// Makes the person with this address a subuser. What it gives beside the user is where the person
/// of a new account chooses a password.
async fn admit(
    cx: &Cx,
    server: &ServerSnapshot,
    email: &str,
    permissions: &[String],
) -> Result<(UserId, Option<String>), CreateError> {
    /// Somebody may invite the same person at the same moment, or a name may be taken.
    const ATTEMPTS: u8 = 3;
    let mut attempt = 1;
    loop {
        if let Some(user) = cx.store().user_by_email(email).await? {
            if user.id == server.owner_id {
                return Err(CreateError::Owner);
            }
            let mut tx = cx.store().begin().await?;
            tx.create_subuser(server.id, user.id, permissions).await?;
            tx.commit().await?;
            return Ok((user.id, None));
        }
        let account = new_account(cx, email).await?;
        match invite(cx, server, &account, permissions).await {
            Ok((id, path)) => return Ok((id, Some(path))),
            Err(error) if attempt < ATTEMPTS && error.unique().is_some() => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Creates an account and makes it a subuser.
async fn invite(
    cx: &Cx,
    server: &ServerSnapshot,
    account: &NewUser,
    permissions: &[String],
) -> Result<(UserId, String), StoreError> {
    let mut tx = cx.store().begin().await?;
    let id = tx.create_user(account).await?;
    tx.create_subuser(server.id, id, permissions).await?;
    let path = password_resets::invite(cx, &mut tx, id, &account.email).await?;
    tx.commit().await?;
    Ok((id, path))
}

/// Why a subuser's permissions stay.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// They are no subuser any more.
    #[error("the person is no subuser any more")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Replaces a subuser's permissions. Consoles and links that they opened end, unless nothing
/// changed.
pub async fn update(
    cx: &Cx,
    access: &Access<needs::UserUpdate>,
    subuser: &Subuser,
    user: &User,
    Granted(permissions): Granted,
) -> Result<Subuser, UpdateError> {
    let server = &access.server;
    let (old, new) = (sorted(&subuser.permissions), sorted(&permissions));
    if old == new {
        return Ok(subuser.clone());
    }
    let mut tx = cx.store().begin().await?;
    if !tx
        .set_subuser_permissions(server.id, user.id, &permissions)
        .await?
    {
        return Err(UpdateError::Gone);
    }
    let note = revocation::mark_on_server(cx, &mut tx, server, user.id).await?;
    tx.commit().await?;
    let event = Event::new("server:subuser.update")
        .with("email", user.email.as_str())
        .with("old", old)
        .with("new", new)
        .about(Subject::User(user.id));
    end_tokens(cx, access, note, event).await?;
    Ok(Subuser {
        permissions,
        ..subuser.clone()
    })
}

/// Takes a subuser's access away. Consoles and links that they opened end. Says whether they had
/// any access left.
pub async fn delete(
    cx: &Cx,
    access: &Access<needs::UserDelete>,
    user: &User,
) -> Result<bool, StoreError> {
    let server = &access.server;
    let mut tx = cx.store().begin().await?;
    if !tx.delete_subuser(server.id, user.id).await? {
        return Ok(false);
    }
    let note = revocation::mark_on_server(cx, &mut tx, server, user.id).await?;
    tx.commit().await?;
    let letter = Letter::RemovedFromServer {
        server: &server.name,
    };
    cx.mail().send(recipient(user), letter);
    let event = Event::new("server:subuser.delete")
        .with("email", user.email.as_str())
        .about(Subject::User(user.id));
    end_tokens(cx, access, note, event).await?;
    Ok(true)
}

/// Tells the node, and records what was done and whether the node took it, even if whoever asked
/// for it goes away.
async fn end_tokens<P: 'static>(
    cx: &Cx,
    access: &Access<P>,
    note: revocation::Note,
    event: Event,
) -> Result<(), StoreError> {
    let (cx, access) = (cx.clone(), access.clone());
    to_the_end(async move {
        let revoked = revocation::deliver_one(&cx, &note).await?;
        event.with("revoked", revoked).on_server(&cx, &access);
        Ok(())
    })
    .await
}

fn sorted(permissions: &[String]) -> Vec<String> {
    let mut sorted = permissions.to_vec();
    sorted.sort_unstable();
    sorted
}

fn recipient(user: &User) -> Recipient<'_> {
    Recipient {
        name: &user.username,
        address: &user.email,
    }
}

fn gone(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} is gone at once"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_new_accounts_can_be_signed_in_with() {
        for (email, name) in [
            ("brand.new+tag@example.com", "brand.newtagx7q"),
            ("_Foo.@example.com", "foox7q"),
            ("+++@example.com", "x7q"),
            ("müller@example.com", "mllerx7q"),
            (
                &format!("{}@example.com", "a".repeat(80)),
                &format!("{}x7q", "a".repeat(64)),
            ),
        ] {
            assert_eq!(username(email, "X7q"), name);
        }
    }
}
