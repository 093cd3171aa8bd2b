//! `POST …/files/delete`.

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

/// Files to delete.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct DeleteFiles {
    /// The folder to which the names belong.
    root: String,
    /// Their names.
    files: Vec<String>,
}

static DELETE: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("root", "required|nullable|string")
        .field("files", "required|array")
        .field("files.*", "string")
});

/// Delete files
///
/// Folders are deleted with all that is in them.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/files/delete",
    operation_id = "deleteFiles",
    tag = "files",
    params(ServerPath),
    request_body = DeleteFiles,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn delete_files(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileDelete>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&DELETE)?;
    files::delete(
        &cx,
        &access,
        input.required_text("root"),
        input.texts("files"),
    )
    .await?;
    Ok(NoContent)
}
