//! Reading: the contents of a file, the entries of a directory.

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hatchery_node_proto::FileEntry;
use hatchery_serverfs::{Entry, FsError, Kind};

use super::query::Parameters;
use super::{SPECIAL_FILE, blocking, disposition, source};
use crate::http::{ApiError, ApiResult, Known};
use crate::state::NodeState;

/// Contents never name their own type: no browser may take a server's file for a page of ours.
const BINARY: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// `GET …/files/contents`: the bytes of a file, as many as it has when it is opened.
pub(super) async fn contents(Known(server): Known, query: Parameters) -> ApiResult<Response> {
    let path = query.path("file")?;
    let files = server.files();
    let open = blocking(move || files.open_file(&path))
        .await
        .map_err(|error| match error {
            FsError::NotRegular => ApiError::new(StatusCode::BAD_REQUEST, SPECIAL_FILE),
            other => other.into(),
        })?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_LENGTH, open.entry.size.into());
    headers.insert(CONTENT_TYPE, BINARY);
    headers.insert(
        "x-mime-type",
        HeaderValue::try_from(&*open.entry.mime).unwrap_or(BINARY),
    );
    if query.has("download") {
        headers.insert(
            CONTENT_DISPOSITION,
            disposition::attachment(&open.entry.name),
        );
    }
    let body = source::body(open.file, 0, open.entry.size, || true);
    Ok((headers, body).into_response())
}

/// `GET …/files/list-directory`: all entries, directories first, then by name.
pub(super) async fn list(
    Known(server): Known,
    State(_): State<NodeState>,
    query: Parameters,
) -> ApiResult<Response> {
    let path = query.path("directory")?;
    let files = server.files();
    // Turning a hundred thousand entries into text takes its time too.
    let json = blocking(move || {
        let entries: Vec<_> = files.list(&path)?.into_iter().map(wire).collect();
        serde_json::to_vec(&entries).map_err(|error| FsError::Io(error.into()))
    })
    .await?;
    Ok(([(CONTENT_TYPE, "application/json; charset=utf-8")], json).into_response())
}

/// An entry as the protocol writes it (node-protocol.md §7.4).
pub(super) fn wire(entry: Entry) -> FileEntry {
    FileEntry {
        created: entry.changed.iso_utc(),
        modified: entry.modified.iso_utc(),
        mode: entry.mode(),
        mode_bits: entry.mode_bits(),
        size: i64::try_from(entry.size).unwrap_or(i64::MAX),
        directory: entry.is_directory(),
        file: !entry.is_directory(),
        symlink: entry.kind == Kind::Link,
        mime: entry.mime.into_owned(),
        name: entry.name,
    }
}
