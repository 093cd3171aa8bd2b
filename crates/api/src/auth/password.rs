//! `POST /auth/password` and `POST /auth/password/reset` (client-api.md §7.3 and §7.4).

use std::sync::LazyLock;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hatchery_app::password_resets::{self, ResetError};
use hatchery_app::sessions;
use hatchery_rules::Fields;
use hatchery_wire::auth::{PasswordReset, ResetRequested};

use super::{Visit, home, with_cookies};
use crate::Api;
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::rate_limit::describe;
use crate::kit::session;

static FORGOT: LazyLock<Fields> = LazyLock::new(|| Fields::new().field("email", "required|email"));

static RESET: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("token", "required|string")
        .field("email", "required|email")
        .field("password", "required|string|confirmed|min:8")
});

/// Answers the same whether or not there is anybody of that address.
pub(super) async fn forgot(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let visit = Visit::of(&api, request).await?;
    let quota = password_resets::admit(&api.cx, visit.browser.address)?;
    let mut response = ask(&api, &visit)
        .await
        .unwrap_or_else(IntoResponse::into_response);
    describe(quota, &mut response);
    Ok(response)
}

async fn ask(api: &Api, visit: &Visit) -> Result<Response, ApiError> {
    if visit.signed_in {
        return Ok(home());
    }
    visit.input.check(&FORGOT)?;
    let email = visit.input.required_text("email");
    password_resets::forgot(&api.cx, email, &visit.browser).await?;
    let status = "We have e-mailed your password reset link!";
    Ok(Ok200(ResetRequested { status }).into_response())
}

/// Chooses a password with the token of a mail. Who has no second factor is signed in.
pub(super) async fn reset(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let visit = Visit::of(&api, request).await?;
    if visit.signed_in {
        return Ok(home());
    }
    let input = &visit.input;
    input.check(&RESET)?;
    let user = password_resets::reset(
        &api.cx,
        input.required_text("email"),
        input.required_text("token"),
        input.required_text("password"),
    )
    .await?;
    let response = Ok200(PasswordReset {
        success: true,
        redirect_to: "/",
        send_to_login: user.use_totp,
    })
    .into_response();
    if user.use_totp {
        return Ok(response);
    }
    let token = sessions::open(&api.cx, user.id, &visit.browser).await?;
    Ok(with_cookies(response, session::cookies(&api.cx, &token)))
}

impl From<ResetError> for ApiError {
    fn from(error: ResetError) -> Self {
        match error {
            // The same whether or not there is somebody of that address: the reference tells, which
            // lets anybody find out who has an account.
            ResetError::LinkInvalid => {
                Self::display("DisplayException", "This password reset token is invalid.")
            }
            ResetError::Password(error) => error.into(),
            ResetError::Store(error) => error.into(),
        }
    }
}
