//! `POST /auth/login` and `POST /auth/login/checkpoint` (client-api.md §7.1 and §7.2).

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hatchery_app::sessions;
use hatchery_app::sign_in::{self, Factor, Proven, SignInError, Step, Try};
use hatchery_auth::PasswordError;
use hatchery_rules::Fields;
use hatchery_store::User;
use hatchery_vocab::Timestamp;
use hatchery_wire::Data;
use hatchery_wire::auth::{SignInComplete, SignInPending, SignedInUser};
use serde_json::Value;

use super::{Visit, home, with_cookies};
use crate::Api;
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::rate_limit::describe;
use crate::kit::session;

pub(super) async fn login(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let visit = Visit::of(&api, request).await?;
    let login = visit.input.required_text("user");
    let attempt = Try::at_account(&api.cx, login, &visit.browser)?;
    let answer = first_step(&api, &visit, &attempt, login).await;
    Ok(described(&attempt, answer))
}

async fn first_step(
    api: &Api,
    visit: &Visit,
    attempt: &Try<'_>,
    login: &str,
) -> Result<Response, ApiError> {
    if visit.signed_in {
        return Ok(home());
    }
    // There are no rules here: what is no text matches nobody.
    let password = visit.input.required_text("password");
    match sign_in::by_password(&api.cx, attempt, login, password).await? {
        Step::Proven(person) => complete(api, visit, &person).await,
        Step::Owing(owing) => {
            let token = sign_in::owe(&api.cx, &owing, &visit.token).await?;
            let data = SignInPending {
                complete: false,
                confirmation_token: token.expose().to_owned(),
            };
            Ok(Ok200(Data { data }).into_response())
        }
    }
}

pub(super) async fn checkpoint(
    State(api): State<Api>,
    request: Request,
) -> Result<Response, ApiError> {
    let visit = Visit::of(&api, request).await?;
    let attempt = Try::at_checkpoint(&api.cx, &visit.token, &visit.browser)?;
    let answer = second_step(&api, &visit, &attempt).await;
    Ok(described(&attempt, answer))
}

async fn second_step(api: &Api, visit: &Visit, attempt: &Try<'_>) -> Result<Response, ApiError> {
    if visit.signed_in {
        return Ok(home());
    }
    let input = &visit.input;
    input.check(&checkpoint_fields(input))?;
    let code = digits(input.get("authentication_code"));
    let factor = match input.text("recovery_token") {
        Some(token) if !token.is_empty() => Factor::Recovery(token),
        _ => Factor::Code(&code),
    };
    let confirmation = input.required_text("confirmation_token");
    let person = sign_in::complete(&api.cx, attempt, &visit.token, confirmation, factor).await?;
    complete(api, visit, &person).await
}

/// One of the two factors is required, in the words for one that always is.
fn checkpoint_fields(input: &Input) -> Fields {
    let given = |name| !matches!(input.get(name), None | Some(Value::Null));
    let rules = |rules: &str, other| {
        if given(other) {
            format!("nullable|{rules}")
        } else {
            format!("nullable|{rules}|required")
        }
    };
    Fields::new()
        .field("confirmation_token", "required|string")
        .field("authentication_code", &rules("numeric", "recovery_token"))
        .field("recovery_token", &rules("string", "authentication_code"))
}

/// A code may come as a number.
fn digits(code: Option<&Value>) -> String {
    match code {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

async fn complete(api: &Api, visit: &Visit, person: &Proven) -> Result<Response, ApiError> {
    let token = sessions::sign_in(&api.cx, person, &visit.browser).await?;
    let data = SignInComplete {
        complete: true,
        intended: "/",
        user: shown(person.user()),
    };
    let response = Ok200(Data { data }).into_response();
    // A new token: one that somebody slipped into this browser earlier is worth nothing.
    Ok(with_cookies(response, session::cookies(&api.cx, &token)))
}

/// Every answer behind the limit tells where it stands.
fn described(attempt: &Try<'_>, answer: Result<Response, ApiError>) -> Response {
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    describe(attempt.quota(), &mut response);
    response
}

fn shown(user: &User) -> SignedInUser {
    let date = |time: Timestamp| time.iso_utc().replace("+00:00", ".000000Z");
    SignedInUser {
        uuid: user.uuid.to_string(),
        username: user.username.clone(),
        email: user.email.clone(),
        name_first: user.name_first.clone(),
        name_last: user.name_last.clone(),
        language: user.language.clone(),
        root_admin: user.root_admin,
        use_totp: user.use_totp,
        gravatar: true,
        created_at: date(user.created_at),
        updated_at: date(user.updated_at),
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        let display = |detail| Self::display("DisplayException", detail);
        match error {
            SignInError::NoMatch => {
                display("No account matching those credentials could be found.")
            }
            SignInError::WrongCode => display("The two-factor authentication token was invalid."),
            SignInError::WrongRecoveryToken => display("The recovery token provided is not valid."),
            SignInError::Expired => display(
                "The authentication token provided has expired, please refresh the page and try again.",
            ),
            SignInError::LockedOut(exceeded) => Self::too_many_sign_ins(exceeded.retry_after()),
            SignInError::Passwords(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::unavailable(),
            PasswordError::TooLong => Self::refused_field("password", error.to_string()),
            PasswordError::Failed(_) => Self::internal(&error),
        }
    }
}
