//! `/account/password`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::account::{self, ProofError};
use hatchery_rules::Fields;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{AccountErrors, FieldErrors};
use crate::kit::actor::Account;
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;

/// Another password.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct UpdatePassword {
    /// The present password.
    current_password: String,
    /// The new one.
    #[schema(min_length = 8)]
    password: String,
    /// The new one again.
    password_confirmation: String,
}

static UPDATE: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("password", "required|string|confirmed|min:8"));

/// Update the password
///
/// The present password is checked before anything else. Other browsers are signed out; keys go on
/// working.
#[utoipa::path(
    put,
    path = "/api/client/account/password",
    operation_id = "updatePassword",
    tag = "account",
    request_body = UpdatePassword,
    responses((status = 204), FieldErrors, AccountErrors)
)]
pub(crate) async fn update_password(
    Account(actor): Account,
    State(cx): State<Cx>,
    input: Input,
) -> Result<NoContent, ApiError> {
    let current = input.required_text("current_password");
    let proof = account::prove_password(&cx, &actor, current).await?;
    input.check(&UPDATE)?;
    account::change_password(&cx, &actor, &proof, input.required_text("password")).await?;
    Ok(NoContent)
}

impl From<ProofError> for ApiError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Wrong => Self::display(
                "InvalidPasswordProvidedException",
                "The password provided was invalid for this account.",
            ),
            ProofError::TooMany(exceeded) => exceeded.into(),
            ProofError::Passwords(error) => error.into(),
            ProofError::Store(error) => error.into(),
        }
    }
}
