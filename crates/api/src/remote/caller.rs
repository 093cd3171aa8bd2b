//! Which node calls (node-protocol.md §2.2), and what it sends.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use hatchery_app::{Cx, remote};
use hatchery_store::Node;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::kit::error::ApiError;
use crate::kit::input::{collect, parse_json};

/// The node that calls, proven by its token.
pub(super) struct Caller(pub(super) Arc<Node>);

impl<S> FromRequestParts<S> for Caller
where
    S: Sync,
    Cx: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let header = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|header| header.to_str().ok());
        let Some(bearer) = header.and_then(bearer) else {
            return Err(no_bearer());
        };
        let (id, token) = bearer
            .split_once('.')
            .filter(|(id, token)| !id.is_empty() && !token.is_empty() && !token.contains('.'))
            .ok_or_else(|| {
                ApiError::bad_request(
                    "The Authorization header provided was not in a valid format.",
                )
            })?;
        let node = remote::authenticate(&Cx::from_ref(state), id, token).await?;
        node.map(Self).ok_or_else(|| {
            ApiError::access_denied("You are not authorized to access this resource.")
        })
    }
}

/// The credentials of a header such as `Bearer id.token`; the word is read in either case.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, credentials) = header.trim().split_once(' ')?;
    let credentials = credentials.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !credentials.is_empty()).then_some(credentials)
}

fn no_bearer() -> ApiError {
    let detail = "Access to this endpoint must include an Authorization header.";
    ApiError::new(StatusCode::UNAUTHORIZED, "HttpException", detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// The body of a report as it came; null without one. Nodes send nothing that could be trimmed.
pub(super) struct Report(pub(super) Value);

impl<S: Sync> FromRequest<S> for Report {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = collect(request.into_body()).await?;
        Ok(Self(parse_json(&body)?.unwrap_or_default()))
    }
}
