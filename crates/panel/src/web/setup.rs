//! `/setup`: the page behind the link of the first start.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Query, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use hatchery_api::kit::origin::{ClientAddress, Here};
use hatchery_auth::KeyKind;
use serde::Deserialize;

use super::html::{self, Html};
use super::{MAX_FORM, Web, page, unavailable};
use hatchery_app::api_keys::{self, Asker, KeyRequest};
use hatchery_app::first_admin::{self, FirstAdminError};
use hatchery_app::users::NewPerson;

const FORM: &str = include_str!("pages/setup.html");
const DONE: &str = include_str!("pages/done.html");
const KEY: &str = include_str!("pages/key.html");

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/setup", get(ask).post(accept))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Link {
    token: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answers {
    token: String,
    username: String,
    email: String,
    password: String,
    api_key: Option<String>,
}

async fn ask(State(web): State<Web>, Query(link): Query<Link>) -> Response {
    match first_admin::is_invited(web.cx(), &link.token).await {
        Ok(true) => page(
            200,
            form(
                &Answers {
                    token: link.token,
                    ..Answers::default()
                },
                &[],
            ),
        ),
        Ok(false) => invalid(),
        Err(error) => unavailable(&error),
    }
}

async fn accept(
    State(web): State<Web>,
    parts: Parts,
    here: Here,
    Form(answers): Form<Answers>,
) -> Response {
    let cx = web.cx();
    let address = ClientAddress::of(&parts, &cx.settings().trusted_proxies);
    let person = NewPerson {
        username: answers.username.trim().to_owned(),
        email: answers.email.trim().to_owned(),
        password: answers.password.clone(),
        admin: true,
    };
    let user = match first_admin::accept(cx, &answers.token, &person).await {
        Ok(user) => user,
        Err(FirstAdminError::LinkInvalid) => return invalid(),
        Err(FirstAdminError::Person(error)) => {
            return match error.complaints() {
                Some(complaints) => page(422, form(&answers, &complaints)),
                None => unavailable(&error),
            };
        }
    };
    tracing::info!(
        username = user.username,
        "the first administrator was created"
    );
    let key = if answers.api_key.is_some() {
        match make_key(cx, user.id, address).await {
            Ok(key) => Some(key),
            Err(error) => return unavailable(&error),
        }
    } else {
        None
    };
    let sentence = format!("You are the administrator {}.", user.username);
    page(
        200,
        done(
            "The panel is ready",
            &sentence,
            key.as_deref(),
            &user.username,
            here.origin(),
        ),
    )
}

async fn make_key(
    cx: &hatchery_app::Cx,
    owner: hatchery_vocab::UserId,
    ClientAddress(address): ClientAddress,
) -> Result<String, hatchery_store::StoreError> {
    let request = KeyRequest {
        kind: KeyKind::Client,
        description: "Made at set-up".to_owned(),
        allowed_ips: Vec::new(),
    };
    let key = api_keys::make_for(cx, owner, Asker::Owner(address), request).await?;
    Ok(key.expose())
}

fn form(answers: &Answers, complaints: &[String]) -> String {
    let values = [
        ("complaints", html::complaints(complaints)),
        ("token", Html::text(&answers.token)),
        ("username", Html::text(&answers.username)),
        ("email", Html::text(&answers.email)),
    ];
    Html::template(FORM, &values).into_page("Set-up")
}

/// What a person with an account and perhaps a key can do next.
pub(super) fn done(
    title: &str,
    sentence: &str,
    key: Option<&str>,
    username: &str,
    origin: &str,
) -> String {
    let shown = key.map(|key| Html::template(KEY, &[("key", Html::text(key))]));
    let values = [
        ("title", Html::text(title)),
        ("sentence", Html::text(sentence)),
        ("key", shown.unwrap_or_default()),
        ("bearer", Html::text(key.unwrap_or("YOUR_KEY"))),
        ("username", Html::text(username)),
        ("origin", Html::text(origin)),
    ];
    Html::template(DONE, &values).into_page(title)
}

fn invalid() -> Response {
    let sentence = "Each link works once, for a day, and only until the panel has an administrator. \
                    If there is none yet, restart Hatchery: it prints a fresh link.";
    page(
        403,
        html::message(
            "This link is no longer valid",
            sentence,
            Some(("/", "To the panel")),
        ),
    )
}
