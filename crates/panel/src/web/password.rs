//! `/account/password`, where a person asks for a new password, and the page behind the link that is
//! sent to them or to somebody who was invited.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use hatchery_api::kit::origin::ClientAddress;
use hatchery_app::Cx;
use hatchery_app::password_resets::{self, ResetError};
use hatchery_app::sign_in::Browser;
use hatchery_auth::PasswordError;
use serde::Deserialize;

use super::html::{self, Html};
use super::{MAX_FORM, Web, page, unavailable};

const FORGOT: &str = include_str!("pages/password_forgot.html");
const CHOOSE: &str = include_str!("pages/password_reset.html");
/// The fewest characters of a password (client-api.md §7.4).
const SHORTEST: usize = 8;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/account/password", get(ask).post(send))
        .route("/auth/password/reset/{token}", get(open).post(choose))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Address {
    email: String,
}

async fn ask() -> Response {
    page(200, forgot("", &[]))
}

/// Says the same whether or not there is anybody of that address.
async fn send(State(cx): State<Cx>, parts: Parts, Form(answers): Form<Address>) -> Response {
    let email = answers.email.trim();
    let again = |status, sentence: &str| page(status, forgot(email, &[sentence.to_owned()]));
    let ClientAddress(address) = ClientAddress::of(&parts, &cx.settings().trusted_proxies);
    if password_resets::admit(&cx, address).is_err() {
        return again(429, "Too many attempts. Try again in a minute.");
    }
    if !email.contains('@') {
        return again(422, "Enter an e-mail address.");
    }
    let browser = Browser {
        address,
        user_agent: String::new(),
    };
    match password_resets::forgot(&cx, email, &browser).await {
        Ok(()) => {
            let sentence = "If there is an account with this address, a link is on its way to it. \
                            It works for an hour.";
            page(200, html::message("Look into your mail", sentence, None))
        }
        Err(error) => unavailable(&error),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answers {
    email: String,
    password: String,
    password_confirmation: String,
}

async fn open(
    State(cx): State<Cx>,
    Path(token): Path<String>,
    Query(link): Query<Address>,
) -> Response {
    match password_resets::is_valid(&cx, &link.email, &token).await {
        Ok(true) => page(200, form(&link.email, &[])),
        Ok(false) => invalid(),
        Err(error) => unavailable(&error),
    }
}

async fn choose(
    State(cx): State<Cx>,
    Path(token): Path<String>,
    Form(answers): Form<Answers>,
) -> Response {
    let again = |sentence: &str| page(422, form(&answers.email, &[sentence.to_owned()]));
    if answers.password.chars().count() < SHORTEST {
        return again("The password must be at least 8 characters.");
    }
    if answers.password != answers.password_confirmation {
        return again("The two passwords are not the same.");
    }
    match password_resets::reset(&cx, &answers.email, &token, &answers.password).await {
        Ok(_) => page(
            200,
            html::message(
                "The password is set",
                "You can sign in with it now.",
                Some(("/account/api", "Create an API key")),
            ),
        ),
        Err(ResetError::LinkInvalid) => invalid(),
        Err(ResetError::Password(error @ (PasswordError::Busy | PasswordError::TooLong))) => {
            again(&error.to_string())
        }
        Err(error) => unavailable(&error),
    }
}

fn invalid() -> Response {
    let sentence = "It works once and for an hour.";
    let link = Some(("/account/password", "Ask for a new one"));
    page(
        404,
        html::message("This link is no longer valid", sentence, link),
    )
}

fn forgot(email: &str, complaints: &[String]) -> String {
    let values = [
        ("complaints", html::complaints(complaints)),
        ("email", Html::text(email)),
    ];
    Html::template(FORGOT, &values).into_page("Forgotten password")
}

fn form(email: &str, complaints: &[String]) -> String {
    let values = [
        ("complaints", html::complaints(complaints)),
        ("email", Html::text(email)),
    ];
    Html::template(CHOOSE, &values).into_page("Choose a password")
}
