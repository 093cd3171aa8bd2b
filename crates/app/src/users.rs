//! People who can sign in: created, found, and given new passwords.

use std::sync::LazyLock;

use hatchery_auth::PasswordError;
use hatchery_rules::{FieldError, Fields};
use hatchery_store::{NewUser, Page, Secret, StoreError, User};
use hatchery_vocab::UserUuid;
use serde_json::json;

use crate::{Cx, first_admin, revocation};

/// What a person must be told.
static PERSON: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field(
            "username",
            r"required|string|between:1,191|regex:/^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/",
        )
        .field("email", "required|string|email|between:1,191")
        .field("password", "required|string|min:8")
});

/// How many characters a password has that nobody chose.
const GENERATED_PASSWORD: usize = 20;

/// Somebody who shall be able to sign in.
#[derive(Clone)]
pub struct NewPerson {
    /// The name to sign in with.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: String,
    /// Whether the person may do everything.
    pub admin: bool,
}

/// Why somebody could not be created, found or changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Fields are wrong.
    #[error("{}", sentences(.0).join(" "))]
    Invalid(Vec<FieldError>),
    /// There is nobody of that name.
    #[error("there is no user `{0}`. `hatchery user list` shows all")]
    Unknown(String),
    /// The password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for UserError {
    fn from(error: StoreError) -> Self {
        match error.unique() {
            Some("users_username") => Self::Invalid(vec![FieldError::taken("username")]),
            Some("users_email") => Self::Invalid(vec![FieldError::taken("email")]),
            _ => Self::Store(error),
        }
    }
}

impl UserError {
    /// What to tell the person who filled in a form; nothing when it is not their doing.
    pub fn complaints(&self) -> Option<Vec<String>> {
        match self {
            Self::Invalid(errors) => Some(sentences(errors)),
            Self::Password(PasswordError::Busy | PasswordError::TooLong) => {
                Some(vec![self.to_string()])
            }
            _ => None,
        }
    }
}

fn sentences(errors: &[FieldError]) -> Vec<String> {
    errors.iter().map(|error| error.detail.clone()).collect()
}

/// Checks what was said of a person and hashes the password: all that takes long, before a
/// transaction begins.
pub(crate) async fn prepare(cx: &Cx, person: &NewPerson) -> Result<NewUser, UserError> {
    let input =
        json!({ "username": person.username, "email": person.email, "password": person.password });
    PERSON.check(&input).map_err(UserError::Invalid)?;
    Ok(NewUser {
        uuid: UserUuid::new(cx.entropy().uuid()),
        external_id: None,
        username: person.username.clone(),
        email: person.email.clone(),
        name_first: None,
        name_last: None,
        password: Secret::new(cx.passwords().hash(&person.password).await?),
        language: "en".to_owned(),
        root_admin: person.admin,
    })
}

/// Creates somebody.
pub async fn create(cx: &Cx, person: &NewPerson) -> Result<User, UserError> {
    let user = prepare(cx, person).await?;
    let mut tx = cx.store().begin().await?;
    tx.create_user(&user).await?;
    first_admin::close(&mut tx).await?;
    tx.commit().await?;
    find(cx, &person.username).await
}

/// Gives somebody a new password. Browsers that were signed in are not any more, and consoles and
/// links end; a panel that runs beside this program sees to that within a second.
pub async fn reset_password(cx: &Cx, user: &User, password: &str) -> Result<(), UserError> {
    let fields = Fields::new().field("password", "required|string|min:8");
    fields
        .check(&json!({ "password": password }))
        .map_err(UserError::Invalid)?;
    let hash = Secret::new(cx.passwords().hash(password).await?);
    let mut tx = cx.store().begin().await?;
    tx.set_user_password(user.id, &hash).await?;
    tx.delete_sessions_of(user.id, None).await?;
    tx.delete_pending_sign_ins_of(user.id).await?;
    tx.delete_password_reset_of(user.id).await?;
    revocation::mark(cx, &mut tx, user.uuid).await?;
    tx.commit().await?;
    Ok(revocation::deliver(cx).await?)
}

/// The user of this name or e-mail address.
pub async fn find(cx: &Cx, login: &str) -> Result<User, UserError> {
    cx.store()
        .user_by_login(login)
        .await?
        .ok_or_else(|| UserError::Unknown(login.to_owned()))
}

/// Everybody, oldest first.
pub async fn all(cx: &Cx) -> Result<Vec<User>, StoreError> {
    /// How many are read at once.
    const SIZE: u64 = 500;
    let mut users = Vec::new();
    let mut number = 1;
    loop {
        let page = Page { number, size: SIZE };
        let found = cx.store().users(page).await?;
        users.extend(found.items);
        if page.offset() + SIZE >= found.total {
            return Ok(users);
        }
        number += 1;
    }
}

/// A password that nobody needs to think of.
pub fn generate_password(cx: &Cx) -> String {
    cx.entropy().alphanumeric(GENERATED_PASSWORD)
}
