//! Writing a file from the body of a request.

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt as _;

use super::query::Parameters;
use super::sink::Sink;
use super::write_error;
use crate::http::{ApiError, ApiResult, Known};

/// `POST …/files/write`: the body becomes the file, whole or not at all.
pub(super) async fn write(
    Known(server): Known,
    query: Parameters,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<StatusCode> {
    let path = query.path("file")?;
    if server.denylist().denies(&path) {
        return Err(ApiError::denied_file());
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let Some(length) = length else {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Missing Content-Length",
        ));
    };
    let mut sink = Sink::open(server.files(), path)
        .await
        .map_err(write_error)?;
    let mut body = body.into_data_stream();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|_| ApiError::unreadable())?;
        sink = sink.push(bytes).await.map_err(write_error)?;
    }
    // A body that ends too early was cut off on its way.
    if sink.received() != length {
        return Err(ApiError::unreadable());
    }
    sink.commit().await.map_err(write_error)?;
    Ok(StatusCode::NO_CONTENT)
}
