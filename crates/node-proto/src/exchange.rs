//! One request and its answer: building, bounding, telling failures apart.

use std::time::Duration;

use axum_core::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use crate::{NodeError, NodeIoError, NodeService};

/// The largest answer that either client reads into memory, in bytes. Streamed file contents are
/// not answers in this sense.
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// What needs no escape inside a query value.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Escapes a value for a query string.
pub(crate) fn query(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// A request with the bearer and the types that the protocol wants on every call, also on those
/// with a raw body (client-api.md §1.17).
pub(crate) fn request(
    method: Method,
    path: &str,
    bearer: &HeaderValue,
    accept: &'static str,
    body: Body,
) -> Result<Request<Body>, NodeIoError> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, bearer)
        .header(ACCEPT, accept)
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|error| {
            NodeIoError::Unreachable(format!("{path} is not a valid address: {error}"))
        })
}

/// The JSON of a value as a body.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Body, NodeIoError> {
    serde_json::to_vec(value).map(Body::from).map_err(|error| {
        NodeIoError::Unreachable(format!("the request could not be written: {error}"))
    })
}

/// Sends the request and waits for the head of the answer.
pub(crate) async fn send(
    service: &NodeService,
    request: Request<Body>,
    limit: Duration,
) -> Result<Response<Body>, NodeIoError> {
    match tokio::time::timeout(limit, service.clone().oneshot(request)).await {
        Ok(answer) => answer,
        Err(_) => Err(NodeIoError::TimedOut),
    }
}

/// Reads a whole body, up to [`MAX_ANSWER`] bytes.
pub(crate) async fn read(body: Body, limit: Duration) -> Result<Bytes, NodeIoError> {
    read_at_most(body, MAX_ANSWER, limit).await
}

async fn read_at_most(body: Body, most: usize, limit: Duration) -> Result<Bytes, NodeIoError> {
    match tokio::time::timeout(limit, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) => Err(NodeIoError::Unreachable(format!(
            "its answer broke off: {error}"
        ))),
        Err(_) => Err(NodeIoError::TimedOut),
    }
}

/// The answer's `X-Request-Id`.
pub(crate) fn request_id(answer: &Response<Body>) -> Option<String> {
    answer
        .headers()
        .get("x-request-id")?
        .to_str()
        .ok()
        .map(str::to_owned)
}

/// Lets answers below 400 pass and turns the others into [`NodeError::Refused`].
pub(crate) async fn accept(
    answer: Response<Body>,
    limit: Duration,
) -> Result<Response<Body>, NodeError> {
    let status = answer.status();
    if status < StatusCode::BAD_REQUEST {
        return Ok(answer);
    }
    let request_id = request_id(&answer);
    // A refusal whose body breaks off is still a refusal.
    let body = read(answer.into_body(), limit).await.unwrap_or_default();
    let error = serde_json::from_slice::<serde_json::Value>(&body)
        .ok()
        .and_then(|body| body.get("error")?.as_str().map(str::to_owned));
    Err(NodeError::Refused {
        status,
        error,
        request_id,
    })
}

/// Reads an accepted answer as JSON.
pub(crate) async fn decode<T: DeserializeOwned>(
    answer: Response<Body>,
    limit: Duration,
) -> Result<T, NodeError> {
    decode_at_most(answer, MAX_ANSWER, limit).await
}

/// The same for an answer of at most so many bytes.
pub(crate) async fn decode_at_most<T: DeserializeOwned>(
    answer: Response<Body>,
    most: usize,
    limit: Duration,
) -> Result<T, NodeError> {
    let status = answer.status();
    let request_id = request_id(&answer);
    let body = read_at_most(answer.into_body(), most, limit).await?;
    serde_json::from_slice(&body).map_err(|error| NodeError::Malformed {
        status,
        reason: error.to_string(),
        request_id,
    })
}
