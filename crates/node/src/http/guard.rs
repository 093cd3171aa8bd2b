//! The two layers around the routes: the bearer before, ids and error bodies after.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use subtle::ConstantTimeEq as _;

use super::ApiError;
use crate::state::NodeState;

/// Lets only the panel pass. The routes behind it do not even reveal which of them exist.
pub(crate) async fn require_bearer(
    State(node): State<NodeState>,
    request: Request,
    next: Next,
) -> Response {
    let shown = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some(shown) = shown
        .and_then(|value| value.strip_prefix("Bearer "))
        .filter(|token| !token.is_empty())
    else {
        let mut refusal = ApiError::new(
            StatusCode::UNAUTHORIZED,
            "The required authorization heads were not present in the request.",
        )
        .into_response();
        refusal
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return refusal;
    };
    if !bool::from(
        shown
            .as_bytes()
            .ct_eq(node.config.token.expose().as_bytes()),
    ) {
        return ApiError::new(
            StatusCode::FORBIDDEN,
            "You are not authorized to access this endpoint.",
        )
        .into_response();
    }
    next.run(request).await
}

/// Gives every answer its id and every refusal its body.
pub(crate) async fn finish(
    State(node): State<NodeState>,
    request: Request,
    next: Next,
) -> Response {
    #[derive(Serialize)]
    struct ErrorBody<'a> {
        error: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<&'a str>,
    }
    let id = node.entropy.uuid().to_string();
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        tracing::debug!(
            request_id = id,
            path,
            status = error.status.as_u16(),
            error = error.text,
            "refused"
        );
        let body = ErrorBody {
            error: &error.text,
            request_id: error.with_request_id.then_some(&id),
        };
        *response.body_mut() = Body::from(serde_json::to_vec(&body).unwrap_or_default());
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}
