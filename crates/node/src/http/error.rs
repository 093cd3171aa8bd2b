//! Errors of the node's routes.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hatchery_serverfs::{FsError, PathError};

/// The text where the cause is nobody's business or unknown.
const GENERIC: &str = "An unexpected error was encountered while processing this request";

/// What a handler answers.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// A refusal in the protocol's form: `{"error": …}`, with the request's id where it bubbled up
/// from below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) with_request_id: bool,
}

impl ApiError {
    /// A refusal that a handler decided on; its body holds only the text.
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            with_request_id: false,
        }
    }

    /// A failure from below; its body holds the request's id too.
    pub(crate) fn failure(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            with_request_id: true,
        }
    }

    /// A failure whose cause goes to the log alone.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::failure(StatusCode::INTERNAL_SERVER_ERROR, GENERIC)
    }

    /// The body is not what the route takes.
    pub(crate) fn unreadable() -> Self {
        Self::failure(StatusCode::BAD_REQUEST, GENERIC)
    }

    /// There is no such server here.
    pub(crate) fn unknown_server() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "The requested resource does not exist on this instance.",
        )
    }

    /// The link leads nowhere: its token is bad or used, or what it names is gone.
    pub(crate) fn dead_link() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "The requested resource was not found on this server.",
        )
    }

    /// The egg keeps this file from being touched.
    pub(crate) fn denied_file() -> Self {
        Self::failure(
            StatusCode::FORBIDDEN,
            "This file cannot be modified: present in egg denylist.",
        )
    }
}

impl From<FsError> for ApiError {
    /// The table of node-protocol.md §3.1, with 404 where the reference answers 500 by mistake.
    fn from(error: FsError) -> Self {
        let (status, text) = match &error {
            FsError::Path(PathError::TooLong) => (
                StatusCode::BAD_REQUEST,
                "Cannot perform that action: file name is too long.",
            ),
            FsError::NotFound
            | FsError::Escape
            | FsError::NotDirectory
            | FsError::NotRegular
            | FsError::Path(_) => (
                StatusCode::NOT_FOUND,
                "The requested resources was not found on the system.",
            ),
            FsError::IsDirectory => (
                StatusCode::BAD_REQUEST,
                "Cannot perform that action: file is a directory.",
            ),
            FsError::TooMany { .. } => (
                StatusCode::BAD_REQUEST,
                "Cannot perform that action: there are too many files in this directory.",
            ),
            FsError::NoSpace => (
                StatusCode::BAD_REQUEST,
                "There is not enough disk space available to perform that action.",
            ),
            _ => return Self::internal(&error),
        };
        Self::failure(status, text)
    }
}

impl IntoResponse for ApiError {
    /// Leaves the body to [`super::finish`], which knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
