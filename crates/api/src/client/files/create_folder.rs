//! `POST …/files/create-folder`.

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

/// A folder to make.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct CreateFolder {
    /// Where; `/` when absent.
    root: Option<String>,
    /// Its name, or a path.
    name: String,
}

static CREATE: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("root", "nullable|string")
        .field("name", "required|string")
});

/// Create a folder
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/files/create-folder",
    operation_id = "createFolder",
    tag = "files",
    params(ServerPath),
    request_body = CreateFolder,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn create_folder(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileCreate>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&CREATE)?;
    files::create_folder(
        &cx,
        &access,
        input.text("root"),
        input.required_text("name"),
    )
    .await?;
    Ok(NoContent)
}
