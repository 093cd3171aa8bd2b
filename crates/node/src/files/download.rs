//! The link that downloads a file.

use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE,
    RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use hatchery_node_proto::jwt::FileDownload;
use hatchery_serverfs::RelPath;

use super::query::Parameters;
use super::range::{Part, part};
use super::{blocking, disposition, source};
use crate::http::{ApiError, ApiResult};
use crate::state::NodeState;

/// `GET /download/file?token=`: one file, once. Whatever is wrong with link or file, the answer is
/// the same 404, so that a link tells a stranger nothing.
pub(super) async fn file(
    State(node): State<NodeState>,
    method: Method,
    headers: HeaderMap,
    query: Parameters,
) -> ApiResult<Response> {
    let token = query.get("token");
    // Some download managers ask for the size first; that does not use the link up.
    let claims = if method == Method::HEAD {
        node.tokens
            .read::<FileDownload>(token)
            .ok()
            .filter(|claims| !node.tokens.is_denied(claims))
    } else {
        node.tokens.redeem::<FileDownload>(token).ok()
    }
    .ok_or_else(ApiError::dead_link)?;
    let server = node
        .registry
        .get(claims.purpose.server_uuid)
        .ok_or_else(ApiError::dead_link)?;
    let path = RelPath::parse(&claims.purpose.file_path).map_err(|_| ApiError::dead_link())?;
    let files = server.files();
    let open = blocking(move || files.open_file(&path))
        .await
        .map_err(|_| ApiError::dead_link())?;

    let size = open.entry.size;
    let mut answer = HeaderMap::new();
    answer.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // We hand out no validator that an `If-Range` could name, so it never holds.
    let wanted = match headers.get(RANGE).and_then(|range| range.to_str().ok()) {
        Some(range) if !headers.contains_key(IF_RANGE) => part(range, size),
        _ => Part::Whole,
    };
    let (status, start, length) = match wanted {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::Bytes { start, length } => {
            answer.insert(
                CONTENT_RANGE,
                content_range(format!("{start}-{}", start + length - 1), size),
            );
            (StatusCode::PARTIAL_CONTENT, start, length)
        }
        Part::Unsatisfiable => {
            answer.insert(CONTENT_RANGE, content_range("*".to_owned(), size));
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, answer).into_response());
        }
    };
    answer.insert(CONTENT_LENGTH, length.into());
    answer.insert(
        CONTENT_DISPOSITION,
        disposition::attachment(&open.entry.name),
    );
    answer.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    answer.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let body = source::body(open.file, start, length, move || {
        !node.tokens.is_denied(&claims)
    });
    Ok((status, answer, body).into_response())
}

fn content_range(range: String, size: u64) -> HeaderValue {
    // Digits and punctuation only, so the fallback is unreachable.
    HeaderValue::try_from(format!("bytes {range}/{size}"))
        .unwrap_or(HeaderValue::from_static("bytes */*"))
}
