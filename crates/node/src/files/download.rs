//! The link that downloads a file.

use std::fs::File;

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
    let claims = node
        .tokens
        .link::<FileDownload>(query.get("token"), &method)
        .map_err(|_| ApiError::dead_link())?;
    let server = node
        .registry
        .get(claims.purpose.server_uuid)
        .ok_or_else(ApiError::dead_link)?;
    let path = RelPath::parse(&claims.purpose.file_path).map_err(|_| ApiError::dead_link())?;
    let files = server.files();
    let open = blocking(move || files.open_file(&path))
        .await
        .map_err(|_| ApiError::dead_link())?;

    let attachment = Attachment {
        file: open.file,
        size: open.entry.size,
        name: &open.entry.name,
    };
    Ok(attachment.send(&headers, move || !node.tokens.is_denied(&claims)))
}

/// An open file that is downloaded.
pub(crate) struct Attachment<'a> {
    pub(crate) file: File,
    pub(crate) size: u64,
    pub(crate) name: &'a str,
}

impl Attachment<'_> {
    /// The answer: all of the file, or the part of it that was asked for. `allowed` is asked again
    /// and again while it is sent.
    pub(crate) fn send(
        self,
        headers: &HeaderMap,
        allowed: impl Fn() -> bool + Send + 'static,
    ) -> Response {
        let Self { file, size, name } = self;
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
                return (StatusCode::RANGE_NOT_SATISFIABLE, answer).into_response();
            }
        };
        answer.insert(CONTENT_LENGTH, length.into());
        answer.insert(CONTENT_DISPOSITION, disposition::attachment(name));
        answer.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        );
        answer.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let body = source::body(file, start, length, allowed);
        (status, answer, body).into_response()
    }
}

fn content_range(range: String, size: u64) -> HeaderValue {
    // Digits and punctuation only, so the fallback is unreachable.
    HeaderValue::try_from(format!("bytes {range}/{size}"))
        .unwrap_or(HeaderValue::from_static("bytes */*"))
}
