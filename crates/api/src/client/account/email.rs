//! `/account/email`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::account::{self, EmailError};
use hatchery_rules::{FieldError, Fields};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{AccountErrors, FieldErrors};
use crate::kit::actor::Account;
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;

/// Another e-mail address.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct UpdateEmail {
    /// The new address, which nobody else has.
    #[schema(max_length = 191)]
    email: String,
    /// The account's password.
    password: String,
}

static UPDATE: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("email", "required|email|between:1,191"));

/// Update the e-mail address
///
/// The password is checked before anything else.
#[utoipa::path(
    put,
    path = "/api/client/account/email",
    operation_id = "updateEmail",
    tag = "account",
    request_body = UpdateEmail,
    responses((status = 204), FieldErrors, AccountErrors)
)]
pub(crate) async fn update_email(
    Account(actor): Account,
    State(cx): State<Cx>,
    input: Input,
) -> Result<NoContent, ApiError> {
    let password = input.required_text("password");
    let proof = account::prove_password(&cx, &actor, password).await?;
    input.check(&UPDATE)?;
    account::change_email(&cx, &actor, &proof, input.required_text("email")).await?;
    Ok(NoContent)
}

impl From<EmailError> for ApiError {
    fn from(error: EmailError) -> Self {
        match error {
            EmailError::Taken => Self::validation(vec![FieldError::taken("email")]),
            EmailError::TooMany(exceeded) => exceeded.into(),
            EmailError::Store(error) => error.into(),
        }
    }
}
