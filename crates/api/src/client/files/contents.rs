//! `GET …/files/contents`.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hatchery_app::access::needs;
use hatchery_app::files::ContentsError;
use hatchery_app::{Cx, files};
use hatchery_rules::Fields;
use http::{HeaderValue, header};

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

static READ: LazyLock<Fields> = LazyLock::new(|| Fields::new().field("file", "required|string"));

/// Read a file
///
/// The bytes of a file of at most 4 MiB.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/files/contents",
    operation_id = "readFile",
    tag = "files",
    params(ServerPath, ("file" = String, Query, description = "The file's path.")),
    responses((status = 200, body = String, content_type = "text/plain"), ServerErrors)
)]
pub(crate) async fn read_file(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileReadContent>,
    input: Input,
) -> Result<Response, ApiError> {
    input.check(&READ)?;
    let contents = files::contents(&cx, &access, input.required_text("file")).await?;
    let mut response = Response::new(Body::new(contents.body));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=UTF-8"),
    );
    // Text of strangers must not be taken for a page of ours.
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(contents.length));
    Ok(response)
}

impl From<ContentsError> for ApiError {
    fn from(error: ContentsError) -> Self {
        match error {
            ContentsError::TooLarge => Self::display(
                "FileSizeTooLargeException",
                "The file you are attempting to open is too large to view in the file editor.",
            ),
            ContentsError::Node(error) => error.into(),
        }
    }
}
