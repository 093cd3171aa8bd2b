//! Successful answers.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// 200 with a JSON body.
#[derive(Clone, Debug)]
pub struct Ok200<T>(pub T);

impl<T: Serialize> IntoResponse for Ok200<T> {
    fn into_response(self) -> Response {
        json_response(&self.0)
    }
}

/// 200 with a JSON body that is already written.
#[derive(Clone, Debug)]
pub struct Written(pub Bytes);

impl IntoResponse for Written {
    fn into_response(self) -> Response {
        json_bytes(self.0)
    }
}

/// 204.
#[derive(Clone, Copy, Debug)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// 202 with an empty list: something began (client-api.md §1.16).
#[derive(Clone, Copy, Debug)]
pub struct Accepted;

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let mut response = json_bytes(Bytes::from_static(b"[]"));
        *response.status_mut() = StatusCode::ACCEPTED;
        response
    }
}

/// How much room a body gets before it must grow.
const USUAL_BODY: usize = 1024;

pub(crate) fn json_response(value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(USUAL_BODY);
    match serde_json::to_writer(&mut body, value) {
        Ok(()) => json_bytes(body.into()),
        Err(error) => {
            // No type of `hatchery-wire` can fail: all keys are strings.
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn json_bytes(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
