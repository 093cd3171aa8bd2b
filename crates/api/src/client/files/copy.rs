//! `POST …/files/copy`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, files};
use hatchery_rules::Fields;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// A file to copy.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct CopyFile {
    /// Its path.
    location: String,
}

static COPY: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("location", "required|string"));

/// Copy a file
///
/// The copy lies beside it: `name copy.ext`, then `name copy 1.ext` and so on.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/files/copy",
    operation_id = "copyFile",
    tag = "files",
    params(ServerPath),
    request_body = CopyFile,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn copy_file(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileCreate>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&COPY)?;
    files::copy(&cx, &access, input.required_text("location")).await?;
    Ok(NoContent)
}
