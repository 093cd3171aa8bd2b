//! `/account/api`: a person makes an API key with their name and password. Nothing is remembered
//! of them in the browser, so there is nothing that another site could misuse.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use hatchery_api::kit::origin::{ClientAddress, Here};
use hatchery_auth::{AddressRule, KeyKind, PasswordError, PasswordVerdict, TotpSecret, TotpStep};
use hatchery_store::{Secret, StoreError, User};
use hatchery_vocab::Timestamp;
use parking_lot::Mutex;
use serde::Deserialize;

use super::html::{self, Html};
use super::{MAX_FORM, Web, page, setup, unavailable};
use crate::connection::network;
use hatchery_app::api_keys::{self, KeyRequest};

const FORM: &str = include_str!("pages/account_api.html");
/// How many one-time codes before and after the present one are accepted (client-api.md §3.2.3).
const TOTP_WINDOW: u16 = 4;
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
    if !web.0.throttle.attempt(address, login, cx.now()) {
        return again(429, "Too many attempts. Try again in a minute.");
    }
    let user = match sign_in(&web, login, &answers).await {
        Ok(Some(user)) => user,
        Ok(None) => {
            return again(422, "The user, the password or the one-time code is wrong.");
        }
        Err(SignInError::Password(PasswordError::Busy)) => {
            return again(429, "Too many sign-ins. Try again soon.");
        }
        Err(error) => return unavailable(&error),
    };
    web.0.throttle.succeeded(address, login);
    let made = async {
        let mut tx = cx.store().begin().await?;
        let key = api_keys::make(cx, &mut tx, user.id, request).await?;
        tx.commit().await?;
        Ok::<_, StoreError>(key.expose())
    };
    match made.await {
        Ok(key) => page(
            200,
            setup::done(
                "Key created",
                "Keep it well.",
                Some(&key),
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

#[derive(Debug, thiserror::Error)]
enum SignInError {
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The user whose name, password and, where needed, code these are. The password comes first and
/// takes as long for somebody who does not exist.
async fn sign_in(web: &Web, login: &str, answers: &Answers) -> Result<Option<User>, SignInError> {
    let cx = web.cx();
    let user = cx.store().user_by_login(login).await?;
    let stored = user.as_ref().map(|user| user.password.expose());
    let verdict = cx.passwords().verify(&answers.password, stored).await?;
    let Some(user) = user.filter(|_| verdict.is_right()) else {
        return Ok(None);
    };
    if user.use_totp && !accept_code(web, &user, answers.code.trim()).await? {
        return Ok(None);
    }
    if verdict == PasswordVerdict::RightButOutdated {
        let hash = Secret::new(cx.passwords().hash(&answers.password).await?);
        let mut tx = cx.store().begin().await?;
        tx.set_user_password(user.id, &hash).await?;
        tx.commit().await?;
    }
    Ok(Some(user))
}

async fn accept_code(web: &Web, user: &User, code: &str) -> Result<bool, StoreError> {
    let secret = user
        .totp_secret
        .as_ref()
        .and_then(|secret| secret.expose().parse::<TotpSecret>().ok());
    let last = user.totp_last_step.map(TotpStep::from_stored);
    let step = secret.and_then(|secret| secret.accept(code, web.cx().now(), TOTP_WINDOW, last));
    let Some(step) = step else { return Ok(false) };
    // Of two requests with the same code only one takes the step.
    let mut tx = web.cx().store().begin().await?;
    let taken = tx.accept_totp_step(user.id, step.to_stored()).await?;
    tx.commit().await?;
    Ok(taken)
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

/// Slows down whoever guesses passwords: by address and account together, so that nobody can lock
/// out anybody else (GHSA-xvc3-826v-xf47), and by address alone, so that nobody tries many accounts.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    attempts: HashMap<(IpAddr, Option<String>), Attempts>,
    /// When what is over was last thrown away.
    swept: Option<Timestamp>,
}

#[derive(Debug)]
struct Attempts {
    count: u32,
    since: Timestamp,
}

impl Throttle {
    const WINDOW: Duration = Duration::from_mins(1);
    /// Attempts within the window for one account.
    const PER_ACCOUNT: u32 = 5;
    /// Attempts within the window for all accounts together.
    const PER_ADDRESS: u32 = 30;
    /// Looking through all counters takes time, so it is not done for every attempt.
    const SWEEP_EVERY: Duration = Duration::from_secs(1);
    /// How many counters there are at most.
    const MAX_COUNTERS: usize = 20_000;

    /// Counts an attempt, and says whether it may be made. It counts before its outcome is known, so
    /// that attempts at the same time cannot all slip through.
    fn attempt(&self, address: IpAddr, account: &str, now: Timestamp) -> bool {
        let mut counters = self.0.lock();
        let crowded = counters.attempts.len() + 2 > Self::MAX_COUNTERS;
        if crowded
            && counters
                .swept
                .is_none_or(|swept| now.since(swept) >= Self::SWEEP_EVERY)
        {
            counters
                .attempts
                .retain(|_, attempts| now.since(attempts.since) < Self::WINDOW);
            counters.swept = Some(now);
        }
        if counters.attempts.len() + 2 > Self::MAX_COUNTERS {
            // Very many addresses try at once. Refusing is better than growing.
            return false;
        }
        let address = network(address);
        let mut within = |key, limit| {
            let attempts = counters.attempts.entry(key).or_insert(Attempts {
                count: 0,
                since: now,
            });
            if now.since(attempts.since) >= Self::WINDOW {
                *attempts = Attempts {
                    count: 0,
                    since: now,
                };
            }
            attempts.count = attempts.count.saturating_add(1);
            attempts.count <= limit
        };
        within((address, None), Self::PER_ADDRESS)
            && within(key(address, account), Self::PER_ACCOUNT)
    }

    /// Forgets the attempts for an account once the right password came.
    fn succeeded(&self, address: IpAddr, account: &str) {
        self.0
            .lock()
            .attempts
            .remove(&key(network(address), account));
    }
}

fn key(address: IpAddr, account: &str) -> (IpAddr, Option<String>) {
    (address, Some(account.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_is_slowed_down_for_the_guesser_only() {
        let throttle = Throttle::default();
        let start = Timestamp::from_seconds(1_000);
        let (guesser, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..Throttle::PER_ACCOUNT {
            assert!(throttle.attempt(guesser, "Anna", start));
        }
        assert!(!throttle.attempt(guesser, "anna", start));
        assert!(throttle.attempt(other, "anna", start));
        assert!(throttle.attempt(guesser, "ben", start));
        assert!(throttle.attempt(guesser, "anna", start.plus(Throttle::WINDOW)));
    }

    #[test]
    fn one_address_cannot_try_many_accounts() {
        let throttle = Throttle::default();
        let now = Timestamp::from_seconds(0);
        let guesser = "192.0.2.1".parse().unwrap();
        let allowed = (0..100)
            .filter(|number: &u32| throttle.attempt(guesser, &number.to_string(), now))
            .count();
        assert_eq!(allowed, Throttle::PER_ADDRESS as usize);
    }

    #[test]
    fn the_right_password_clears_the_account() {
        let throttle = Throttle::default();
        let now = Timestamp::from_seconds(0);
        let address = "192.0.2.1".parse().unwrap();
        for _ in 0..2 * Throttle::PER_ACCOUNT {
            assert!(throttle.attempt(address, "anna", now));
            throttle.succeeded(address, "anna");
        }
    }

    #[test]
    fn an_ipv6_client_cannot_choose_another_address_of_its_network() {
        let throttle = Throttle::default();
        let now = Timestamp::from_seconds(0);
        for host in 0..Throttle::PER_ACCOUNT {
            assert!(throttle.attempt(format!("2001:db8::{host}").parse().unwrap(), "anna", now));
        }
        assert!(!throttle.attempt("2001:db8::ffff".parse().unwrap(), "anna", now));
        assert!(throttle.attempt("2001:db8:0:1::1".parse().unwrap(), "anna", now));
    }

    #[test]
    fn the_memory_of_attempts_is_bounded() {
        let throttle = Throttle::default();
        let now = Timestamp::from_seconds(0);
        for number in 0..=Throttle::MAX_COUNTERS {
            let address = std::net::Ipv4Addr::from_bits(u32::try_from(number).unwrap());
            throttle.attempt(address.into(), "anna", now);
        }
        assert!(throttle.0.lock().attempts.len() <= Throttle::MAX_COUNTERS);
        let later = now.plus(Throttle::WINDOW);
        assert!(throttle.attempt("192.0.2.1".parse().unwrap(), "anna", later));
    }

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
