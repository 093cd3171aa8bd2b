//! `/auth` and `/sanctum`: signing in and out with a browser (client-api.md §7).
//!
//! These routes know sessions and nothing of keys.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hatchery_app::sessions::{self, Browser, SignInError, SignedIn};
use hatchery_auth::{PasswordError, SessionToken};
use hatchery_store::User;
use hatchery_vocab::Timestamp;
use hatchery_wire::Data;
use hatchery_wire::auth::{SignInComplete, SignedInUser};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::Api;
use crate::kit::answer::{NoContent, Ok200};
use crate::kit::error::ApiError;
use crate::kit::input::{BodyKind, Input, JsonBody, collect_at_most, parse_json};
use crate::kit::origin::ClientAddress;
use crate::kit::rate_limit::RateLimiter;
use crate::kit::session;

/// How often an account may be tried from one address before both must wait.
const TRIES_PER_MINUTE: u32 = 5;
/// How often one address may try any accounts. Success does not clear it: whoever has one account
/// could go through everybody else's.
const TRIES_OF_ADDRESS_PER_MINUTE: u32 = 30;
/// How much of a browser's name is kept, in bytes.
const MAX_USER_AGENT: usize = 512;
/// The longest body of a sign-in, in bytes. Nobody is known yet, so little is read.
const MAX_SIGN_IN: usize = 16 * 1024;

/// The routes.
pub(crate) fn router() -> Router<Api> {
    Router::new()
        .route("/sanctum/csrf-cookie", get(csrf_cookie))
        .route("/auth/login", post(login))
        .route("/auth/logout", post(logout))
}

/// Counts tries by address and account: the reference counts them for the whole world, so that ten
/// requests a minute lock everybody out (security.md, GHSA-xvc3-826v-xf47).
#[derive(Debug)]
pub(crate) struct SignInLimiter {
    accounts: RateLimiter<(IpAddr, u64)>,
    addresses: RateLimiter<IpAddr>,
}

pub(crate) fn sign_in_limiter() -> SignInLimiter {
    const MINUTE: Duration = Duration::from_mins(1);
    SignInLimiter {
        accounts: RateLimiter::new(TRIES_PER_MINUTE, MINUTE),
        addresses: RateLimiter::new(TRIES_OF_ADDRESS_PER_MINUTE, MINUTE),
    }
}

impl SignInLimiter {
    fn attempt(&self, address: IpAddr, login: &str, now: Timestamp) -> Result<(), ApiError> {
        let address = network(address);
        let refused = self
            .addresses
            .hit(address, now)
            .and_then(|_| self.accounts.hit((address, account(login)), now));
        refused
            .map(drop)
            .map_err(|exceeded| ApiError::too_many_sign_ins(exceeded.retry_after()))
    }

    fn succeeded(&self, address: IpAddr, login: &str) {
        self.accounts.clear((network(address), account(login)));
    }
}

/// An IPv6 client counts by its network of 64 bits, since it can choose among its addresses.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
    }
}

/// An account by the name that was typed. Two names that collide share a limit, which harms nobody
/// but the address that found them.
fn account(login: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    login.trim().to_lowercase().hash(&mut hasher);
    hasher.finish()
}

/// Gives a browser the cookies that it needs before it can sign in.
async fn csrf_cookie(State(api): State<Api>, headers: HeaderMap) -> Response {
    let token = session::token(&api.cx, &headers)
        .unwrap_or_else(|| SessionToken::generate(api.cx.entropy()));
    with_cookies(NoContent.into_response(), session::cookies(&api.cx, &token))
}

async fn login(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let (mut parts, address) = from_our_page(&api, parts)?;
    if session::authenticate(&api, &parts, address)
        .await?
        .is_some()
    {
        return Ok((StatusCode::FOUND, [(header::LOCATION, "/")]).into_response());
    }
    let body = collect_at_most(body, MAX_SIGN_IN).await?;
    if BodyKind::of(&parts.headers) == BodyKind::Json
        && let Some(value) = parse_json(&body)?
    {
        parts.extensions.insert(JsonBody(value));
    }
    let browser = browser(&parts.headers, address);
    let input = Input::from_request(Request::from_parts(parts, body.into()), &()).await?;
    // There are no rules here: what is no text matches nobody.
    let (user, password) = (input.required_text("user"), input.required_text("password"));
    api.sign_ins.attempt(address.0, user, api.cx.now())?;
    let SignedIn {
        user: person,
        token,
    } = sessions::sign_in(&api.cx, user, password, &browser).await?;
    api.sign_ins.succeeded(address.0, user);
    let answer = SignInComplete {
        complete: true,
        intended: "/",
        user: shown(&person),
    };
    let response = Ok200(Data { data: answer }).into_response();
    // A new token: one that somebody slipped into this browser earlier is worth nothing.
    Ok(with_cookies(response, session::cookies(&api.cx, &token)))
}

async fn logout(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let (parts, address) = from_our_page(&api, request.into_parts().0)?;
    if session::authenticate(&api, &parts, address)
        .await?
        .is_none()
    {
        return Err(ApiError::unauthenticated());
    }
    if let Some(token) = session::token(&api.cx, &parts.headers) {
        sessions::close(&api.cx, &token).await?;
    }
    Ok(with_cookies(
        NoContent.into_response(),
        session::forget(&api.cx),
    ))
}

/// Every change needs the proof that it comes from our own page, signed in or not.
fn from_our_page(api: &Api, parts: Parts) -> Result<(Parts, ClientAddress), ApiError> {
    let token = session::token(&api.cx, &parts.headers);
    session::check_csrf(&parts.method, &parts.headers, token.as_ref())?;
    let address = ClientAddress::of(&parts, &api.cx.settings().trusted_proxies);
    Ok((parts, address))
}

fn browser(headers: &HeaderMap, address: ClientAddress) -> Browser {
    let user_agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let user_agent = user_agent.unwrap_or_default();
    Browser {
        address: address.0,
        user_agent: user_agent[..user_agent.floor_char_boundary(MAX_USER_AGENT)].to_owned(),
    }
}

fn with_cookies(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
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
        match error {
            SignInError::NoMatch => Self::display(
                "DisplayException",
                "No account matching those credentials could be found.",
            ),
            SignInError::SecondFactor => Self::display(
                "DisplayException",
                "This account uses two-factor authentication, which signing in does not offer yet. Use an API key.",
            ),
            SignInError::Passwords(PasswordError::Busy) => Self::unavailable(),
            SignInError::Passwords(error) => Self::internal(&error),
            SignInError::Store(error) => error.into(),
        }
    }
}
