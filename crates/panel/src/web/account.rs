//! `/account/api`: a person makes an API key with their name and password. Nothing is remembered
//! of them in the browser, so there is nothing that another site could misuse.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use hatchery_api::kit::origin::{ClientAddress, Here};
use hatchery_app::Cx;
use hatchery_app::api_keys::{self, Asker, KeyRequest};
use hatchery_app::sign_in::{self, Browser, Factor, Proven, SignInError, Step, Try};
use hatchery_auth::{AddressRule, KeyKind, PasswordError};
use hatchery_store::StoreError;
use serde::Deserialize;

use super::html::{self, Html};
use super::{MAX_FORM, Web, page, setup, unavailable};

const FORM: &str = include_str!("pages/account_api.html");
/// How many addresses a key may have (client-api.md §3.2.9).
const MAX_ADDRESSES: usize = 50;
/// How many characters a description may have (client-api.md §3.2.9).
const MAX_DESCRIPTION: usize = 500;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/account/api", get(ask).post(create))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answers {
    user: String,
    password: String,
    code: String,
    description: String,
    allowed_ips: String,
}

async fn ask(here: Here) -> Response {
    page(200, form(&Answers::default(), here.origin(), &[]))
}

async fn create(
    State(web): State<Web>,
    parts: Parts,
    here: Here,
    Form(answers): Form<Answers>,
) -> Response {
    let again = |status, sentence: &str| {
        page(
            status,
            form(&answers, here.origin(), &[sentence.to_owned()]),
        )
    };
    let cx = web.cx();
    let ClientAddress(address) = ClientAddress::of(&parts, &cx.settings().trusted_proxies);
    let login = answers.user.trim();
    let request = match key_request(&answers) {
        Ok(request) => request,
        Err(sentence) => return again(422, &sentence),
    };
    let browser = Browser {
        address,
        user_agent: String::new(),
    };
    let person = match sign_in(cx, login, &answers, &browser).await {
        Ok(person) => person,
        Err(Refusal::TooMany) => return again(429, "Too many attempts. Try again in a minute."),
        Err(Refusal::Wrong) => {
            return again(422, "The user, the password or the one-time code is wrong.");
        }
        Err(Refusal::Failed(error)) => return unavailable(&error),
    };
    let user = person.user();
    match api_keys::make_for(cx, user.id, Asker::Owner(address), request).await {
        Ok(key) => page(
            200,
            setup::done(
                "Key created",
                "Keep it well.",
                Some(&key.expose()),
                &user.username,
                here.origin(),
            ),
        ),
        Err(StoreError::LimitReached { limit }) => again(
            422,
            &format!(
                "There are {limit} keys on this account, which is the limit. Delete one first."
            ),
        ),
        Err(error) => unavailable(&error),
    }
}

fn key_request(answers: &Answers) -> Result<KeyRequest, String> {
    // PostgreSQL keeps no zero characters, and the API drops them as well.
    let description = answers.description.replace('\0', "").trim().to_owned();
    if description.is_empty() || description.chars().count() > MAX_DESCRIPTION {
        return Err(format!(
            "Say in 1 to {MAX_DESCRIPTION} characters what the key is for."
        ));
    }
    let entries = answers
        .allowed_ips
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    let allowed_ips: Vec<String> = entries.map(str::to_owned).collect();
    if allowed_ips.len() > MAX_ADDRESSES {
        return Err(format!("A key has at most {MAX_ADDRESSES} addresses."));
    }
    match allowed_ips
        .iter()
        .find_map(|entry| entry.parse::<AddressRule>().err())
    {
        Some(error) => Err(error.to_string()),
        None => Ok(KeyRequest {
            kind: KeyKind::Client,
            description,
            allowed_ips,
        }),
    }
}

/// Why nobody was let in, as far as the page tells.
enum Refusal {
    TooMany,
    Wrong,
    Failed(SignInError),
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NoMatch | SignInError::WrongCode => Self::Wrong,
            SignInError::LockedOut(_) | SignInError::Passwords(PasswordError::Busy) => {
                Self::TooMany
            }
            error => Self::Failed(error),
        }
    }
}

/// The one whose name, password and, where needed, code these are.
async fn sign_in(
    cx: &Cx,
    login: &str,
    answers: &Answers,
    browser: &Browser,
) -> Result<Proven, Refusal> {
    let attempt = Try::at_account(cx, login, browser).map_err(|_| Refusal::TooMany)?;
    match sign_in::by_password(cx, &attempt, login, &answers.password).await? {
        Step::Proven(person) => Ok(person),
        Step::Owing(owing) => {
            let code = Factor::Code(answers.code.trim());
            Ok(sign_in::second_factor(cx, owing, code, browser).await?)
        }
    }
}

fn form(answers: &Answers, origin: &str, complaints: &[String]) -> String {
    let values = [
        ("origin", Html::text(origin)),
        ("complaints", html::complaints(complaints)),
        ("user", Html::text(&answers.user)),
        ("description", Html::text(&answers.description)),
        ("allowed_ips", Html::text(&answers.allowed_ips)),
    ];
    Html::template(FORM, &values).into_page("API keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_needs_a_purpose_and_valid_addresses() {
        let answers = |description: &str, allowed_ips: &str| Answers {
            description: description.to_owned(),
            allowed_ips: allowed_ips.to_owned(),
            ..Answers::default()
        };
        assert_eq!(
            key_request(&answers("bot", " 10.0.0.0/8, ")).map(|key| key.allowed_ips),
            Ok(vec!["10.0.0.0/8".into()])
        );
        assert!(key_request(&answers(" ", "")).is_err());
        let error = key_request(&answers("bot", "10.0.0.0/33"))
            .map(|_| ())
            .unwrap_err();
        assert_eq!(
            error,
            "\"10.0.0.0/33\" is not a valid IP address or CIDR range."
        );
    }
}
