//! `/account/two-factor`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::account::{self, ProofError};
use hatchery_app::two_factor::{self, TwoFactorError};
use hatchery_rules::Fields;
use hatchery_wire::client::{RecoveryTokens, TwoFactorSetup};
use hatchery_wire::{Data, Item};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{AccountErrors, FieldErrors};
use crate::kit::actor::Account;
use crate::kit::answer::{NoContent, Ok200};
use crate::kit::error::ApiError;
use crate::kit::input::Input;

/// Begin two-factor set-up
///
/// Makes a new secret with every call. Two-factor authentication stays off until a code of the secret
/// is sent.
#[utoipa::path(
    get,
    path = "/api/client/account/two-factor",
    operation_id = "beginTwoFactor",
    tag = "account",
    responses((status = 200, body = Data<TwoFactorSetup>), AccountErrors)
)]
pub(crate) async fn begin_two_factor(
    Account(actor): Account,
    State(cx): State<Cx>,
) -> Result<Ok200<Data<TwoFactorSetup>>, ApiError> {
    let enrolment = two_factor::begin(&cx, &actor).await?;
    let data = TwoFactorSetup {
        image_url_data: enrolment.url,
        secret: enrolment.secret,
    };
    Ok(Ok200(Data { data }))
}

/// Proof that the authenticator works, and that it is the account's owner who asks.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct EnableTwoFactor {
    /// The authenticator's present code.
    #[schema(min_length = 6, max_length = 6)]
    code: String,
    /// The account's password.
    password: String,
}

static ENABLE: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("code", "required|string|size:6")
        .field("password", "required|string")
});

/// Enable two-factor authentication
///
/// Answers ten recovery tokens, shown once. When it is on already, it gives new ones.
#[utoipa::path(
    post,
    path = "/api/client/account/two-factor",
    operation_id = "enableTwoFactor",
    tag = "account",
    request_body = EnableTwoFactor,
    responses((status = 200, body = Item<RecoveryTokens>), FieldErrors, AccountErrors)
)]
pub(crate) async fn enable_two_factor(
    Account(actor): Account,
    State(cx): State<Cx>,
    input: Input,
) -> Result<Ok200<Item<RecoveryTokens>>, ApiError> {
    input.check(&ENABLE)?;
    let password = input.required_text("password");
    let proof = account::prove_password(&cx, &actor, password)
        .await
        .map_err(wrong_password)?;
    let tokens = two_factor::enable(&cx, &actor, &proof, input.required_text("code")).await?;
    Ok(Ok200(RecoveryTokens { tokens }.into()))
}

/// Proof that it is the account's owner who asks.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "only described: a wrong one is refused")]
pub(crate) struct DisableTwoFactor {
    /// The account's password.
    password: String,
}

/// Disable two-factor authentication
#[utoipa::path(
    post,
    path = "/api/client/account/two-factor/disable",
    operation_id = "disableTwoFactor",
    tag = "account",
    request_body = DisableTwoFactor,
    responses((status = 204), AccountErrors)
)]
pub(crate) async fn disable_two_factor(
    Account(actor): Account,
    State(cx): State<Cx>,
    input: Input,
) -> Result<NoContent, ApiError> {
    let password = input.required_text("password");
    let proof = account::prove_password(&cx, &actor, password)
        .await
        .map_err(wrong_password)?;
    two_factor::disable(&cx, &actor, &proof).await?;
    Ok(NoContent)
}

/// These routes say it in other words than the ones for e-mail address and password do.
fn wrong_password(error: ProofError) -> ApiError {
    match error {
        ProofError::Wrong => ApiError::bad_request("The password provided was not valid."),
        error => error.into(),
    }
}

impl From<TwoFactorError> for ApiError {
    fn from(error: TwoFactorError) -> Self {
        match error {
            TwoFactorError::AlreadyOn => {
                Self::bad_request("Two-factor authentication is already enabled on this account.")
            }
            TwoFactorError::WrongCode => Self::display(
                "TwoFactorAuthenticationTokenInvalid",
                "The provided two-factor authentication token was not valid.",
            ),
            TwoFactorError::Proof(error) => error.into(),
            TwoFactorError::Store(error) => error.into(),
        }
    }
}
