//! What every route of the client API has in front of it: the first seven checks of
//! client-api.md §1.3, in their order.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hatchery_app::windows::Quota;
use hatchery_app::{Actor, Credential};
use hatchery_auth::SessionToken;
use http::request::Parts;
use http::{Method, header};

use super::actor::LetIn;
use super::error::ApiError;
use super::input::{BodyKind, JsonBody, MAX_BODY, collect, parse_json};
use super::origin::ClientAddress;
use super::rate_limit::{Caller, describe};
use super::session;
use crate::Api;

/// Lets a request through, or answers in its place.
pub(crate) async fn gate(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match admit(&api, parts, body).await {
        Ok(Admitted {
            request,
            quota,
            session,
        }) => {
            let mut response = next.run(request).await;
            if let Some(quota) = quota {
                describe(quota, &mut response);
            }
            if let Some(token) = session {
                session::keep(&api.cx, &token, &mut response);
            }
            response
        }
        Err(error) => error.into_response(),
    }
}

/// A request that was let in.
struct Admitted {
    request: Request,
    quota: Option<Quota>,
    /// The browser's token, when it was the session that let the request in.
    session: Option<SessionToken>,
}

async fn admit(api: &Api, mut parts: Parts, body: Body) -> Result<Admitted, ApiError> {
    let declared = declared_length(&parts);
    if declared.is_some_and(|length| length > api.cx.settings().max_body) {
        return Err(ApiError::too_large());
    }
    let address = ClientAddress::of(&parts, &api.cx.settings().trusted_proxies);
    let actor = Arc::new(authenticate(api, &parts, address).await?);
    let body = check_json(&mut parts, body, declared).await?;
    if actor.lacks_two_factor(&api.cx) && !works_without_two_factor(&parts) {
        return Err(ApiError::display(
            "TwoFactorAuthRequiredException",
            "Two-factor authentication is required on this account in order to access this endpoint.",
        ));
    }
    if !actor.address_is_allowed(&api.cx) {
        return Err(ApiError::access_denied(format!(
            "This IP address ({}) does not have permission to access the API using these credentials.",
            address.0
        )));
    }
    let caller = actor
        .api_key_id()
        .map_or(Caller::Sessions(actor.user.id), Caller::Key);
    let mut quota = match &api.limiter {
        Some(limiter) => Some(limiter.hit(caller, api.cx.now())?),
        None => None,
    };
    if let Some(pulls) = &api.pulls
        && is_pull(&parts)
    {
        let pulls = pulls.hit(actor.user.id, api.cx.now())?;
        quota = Some(quota.map_or(pulls, |quota| quota.tighter(pulls)));
    }
    let session = match actor.credential {
        Credential::Session(_) => session::token(&api.cx, &parts.headers),
        Credential::Key(_) => None,
    };
    parts.extensions.insert(LetIn(actor));
    Ok(Admitted {
        request: Request::from_parts(parts, body),
        quota,
        session,
    })
}

/// A signed-in session wins over a key (client-api.md §1.5). The two are told apart for good here:
/// nothing behind this line can turn a key into a session.
async fn authenticate(api: &Api, parts: &Parts, address: ClientAddress) -> Result<Actor, ApiError> {
    if let Some(actor) = session::authenticate(api, parts, address).await? {
        return Ok(actor);
    }
    let Some(header) = parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
    else {
        return Err(ApiError::unauthenticated());
    };
    let actor = hatchery_app::actor::by_authorization(&api.cx, header, address.0).await?;
    actor.ok_or_else(ApiError::unauthenticated)
}

/// Reads and checks a body that claims to be JSON. Contents of a file that are too long to be read
/// into memory are not checked: they are bytes, whatever they claim to be.
async fn check_json(
    parts: &mut Parts,
    body: Body,
    declared: Option<u64>,
) -> Result<Body, ApiError> {
    let empty = body.size_hint().exact() == Some(0);
    let long = declared.is_some_and(|length| length > MAX_BODY as u64);
    if empty || BodyKind::of(&parts.headers) != BodyKind::Json || (long && is_file_contents(parts))
    {
        return Ok(body);
    }
    let bytes = collect(body).await?;
    if let Some(value) = parse_json(&bytes)? {
        parts.extensions.insert(JsonBody(value));
    }
    Ok(bytes.into())
}

fn declared_length(parts: &Parts) -> Option<u64> {
    parts
        .headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn route(parts: &Parts) -> &str {
    parts
        .extensions
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str)
}

fn is_file_contents(parts: &Parts) -> bool {
    route(parts).ends_with("/files/write")
}

fn is_pull(parts: &Parts) -> bool {
    route(parts).ends_with("/files/pull") && parts.method == Method::POST
}

/// What someone needs to see and set up their second factor (client-api.md §1.6).
fn works_without_two_factor(parts: &Parts) -> bool {
    match route(parts) {
        "/api/client/account" => matches!(parts.method, Method::GET | Method::HEAD),
        "/api/client/account/two-factor" | "/api/client/account/two-factor/disable" => true,
        _ => false,
    }
}
