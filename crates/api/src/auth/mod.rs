//! `/auth` and `/sanctum`: signing in and out with a browser (client-api.md §7).
//!
//! These routes know sessions and nothing of keys.

mod login;
mod password;

use axum::Router;
use axum::extract::{FromRequest as _, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hatchery_app::sessions;
use hatchery_app::sign_in::Browser;
use hatchery_auth::SessionToken;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

use crate::Api;
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::{BodyKind, Input, JsonBody, collect_at_most, parse_json};
use crate::kit::origin::ClientAddress;
use crate::kit::session;

/// How much of a browser's name is kept, in bytes.
const MAX_USER_AGENT: usize = 512;
/// The longest body of a sign-in, in bytes. Nobody is known yet, so little is read.
const MAX_SIGN_IN: usize = 16 * 1024;

/// The routes.
pub(crate) fn router(api: Api) -> Router<Api> {
    Router::new()
        .route("/sanctum/csrf-cookie", get(csrf_cookie))
        .route("/auth/login", post(login::login))
        .route("/auth/login/checkpoint", post(login::checkpoint))
        .route("/auth/password", post(password::forgot))
        .route("/auth/password/reset", post(password::reset))
        .route("/auth/logout", post(logout))
        .route("/auth/{*page}", get(no_page))
        .route_layer(from_fn_with_state(api, keep_cookies))
}

/// Gives a browser the cookies that it needs before it can sign in.
async fn csrf_cookie(State(api): State<Api>, headers: HeaderMap) -> Response {
    let token = session::token(&api.cx, &headers)
        .unwrap_or_else(|| SessionToken::generate(api.cx.entropy()));
    with_cookies(NoContent.into_response(), session::cookies(&api.cx, &token))
}

/// What else is asked for under `/auth` is pages of the web interface (client-api.md §7), which are not
/// the API's.
async fn no_page(uri: Uri) -> ApiError {
    ApiError::no_route(uri.path().trim_start_matches('/'))
}

/// Prolongs the cookies of a browser with every answer, unless the answer sets others.
async fn keep_cookies(State(api): State<Api>, request: Request, next: Next) -> Response {
    let token = session::token(&api.cx, request.headers());
    let mut response = next.run(request).await;
    if let Some(token) = token {
        session::keep(&api.cx, &token, &mut response);
    }
    response
}

async fn logout(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let (token, address) = from_our_page(&api, &parts)?;
    if session::authenticate(&api, &parts, address)
        .await?
        .is_none()
    {
        return Err(ApiError::unauthenticated());
    }
    sessions::close(&api.cx, &token).await?;
    // The browser goes on with a token that speaks for nobody, so that it can sign in again.
    let nobody = SessionToken::generate(api.cx.entropy());
    Ok(with_cookies(
        NoContent.into_response(),
        session::cookies(&api.cx, &nobody),
    ))
}

/// A browser that is at one of the forms.
struct Visit {
    token: SessionToken,
    browser: Browser,
    input: Input,
    /// Whether somebody is signed in, for whom these forms are not.
    signed_in: bool,
}

impl Visit {
    async fn of(api: &Api, request: Request) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let (token, address) = from_our_page(api, &parts)?;
        let signed_in = session::authenticate(api, &parts, address).await?.is_some();
        let body = collect_at_most(body, MAX_SIGN_IN).await?;
        if BodyKind::of(&parts.headers) == BodyKind::Json
            && let Some(value) = parse_json(&body)?
        {
            parts.extensions.insert(JsonBody(value));
        }
        let browser = browser(&parts.headers, address);
        let request = Request::from_parts(parts, body.into());
        Ok(Self {
            token,
            browser,
            input: Input::from_request(request, &()).await?,
            signed_in,
        })
    }
}

/// Where somebody is sent who is signed in already.
fn home() -> Response {
    (StatusCode::FOUND, [(header::LOCATION, "/")]).into_response()
}

/// Every change needs the proof that it comes from our own page, signed in or not.
fn from_our_page(api: &Api, parts: &Parts) -> Result<(SessionToken, ClientAddress), ApiError> {
    let token = session::token(&api.cx, &parts.headers);
    session::check_csrf(&parts.method, &parts.headers, token.as_ref())?;
    let address = ClientAddress::of(parts, &api.cx.settings().trusted_proxies);
    Ok((token.ok_or_else(ApiError::csrf_mismatch)?, address))
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
