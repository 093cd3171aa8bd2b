//! Routes about a server's files: those of the panel, and the links that a browser opens.
//!
//! Bodies flow through in pieces of bounded size, and no thread waits for a slow client: only the
//! steps that touch the disk run on threads for blocking work. What a path may reach is decided in
//! `hatchery-serverfs` alone.

mod archive;
mod change;
mod disposition;
mod download;
mod pull;
mod pulls;
mod query;
mod range;
mod read;
mod sink;
mod source;
mod upload;
mod write;

pub(crate) use download::Attachment;
pub(crate) use query::Parameters;
pub(crate) use source::body as file_body;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use hatchery_serverfs::FsError;

pub(crate) use pulls::Pulls;

use crate::http::ApiError;
use crate::state::NodeState;

/// Routes of the panel, all beneath `/api/servers/{server}/files`.
pub(crate) fn routes() -> Router<NodeState> {
    Router::new()
        .route("/contents", get(read::contents))
        .route("/list-directory", get(read::list))
        .route("/rename", put(change::rename))
        .route("/copy", post(change::copy))
        .route("/write", post(write::write))
        .route("/create-directory", post(change::create_directory))
        .route("/delete", post(change::delete))
        .route("/compress", post(archive::compress))
        .route("/decompress", post(archive::decompress))
        .route("/pull", get(pull::list).post(pull::begin))
        .route("/pull/{download}", delete(pull::cancel))
        .route("/chmod", post(change::chmod))
}

/// Links that carry a signed token: downloads and uploads.
pub(crate) fn links() -> Router<NodeState> {
    Router::new()
        .route("/download/file", get(download::file))
        .route("/upload/file", post(upload::files))
}

/// Runs a step that touches the disk where waiting is allowed.
async fn blocking<T: Send + 'static>(
    step: impl FnOnce() -> Result<T, FsError> + Send + 'static,
) -> Result<T, FsError> {
    tokio::task::spawn_blocking(step)
        .await
        .unwrap_or_else(|panic| Err(FsError::Io(std::io::Error::other(panic))))
}

/// The protocol's words for a failure to write or to create.
fn write_error(error: FsError) -> ApiError {
    let text = match error {
        FsError::IsDirectory => {
            "Cannot write file, name conflicts with an existing directory by the same name."
        }
        FsError::NotDirectory => "Part of the path being created is not a directory (ENOTDIR).",
        FsError::NotRegular => SPECIAL_FILE,
        other => return other.into(),
    };
    ApiError::failure(StatusCode::BAD_REQUEST, text)
}

/// The protocol's words for pipes, sockets, devices and links where a file is due.
const SPECIAL_FILE: &str = "Cannot open files of this type.";
