//! `PUT …/files/rename`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, files};
use hatchery_node_proto::RenameFile;
use hatchery_rules::Fields;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// Files to rename or move.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct RenameFiles {
    /// The folder to which the names belong.
    root: String,
    /// What becomes what.
    files: Vec<Renaming>,
}

/// One file to rename.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct Renaming {
    /// Its present name.
    from: String,
    /// Its new name.
    to: String,
}

static RENAME: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("root", "required|nullable|string")
        .field("files", "required|array")
        .field("files.*", "array")
        .field("files.*.to", "required|string")
        .field("files.*.from", "required|string")
});

/// Rename files
#[utoipa::path(
    put,
    path = "/api/client/servers/{server}/files/rename",
    operation_id = "renameFiles",
    tag = "files",
    params(ServerPath),
    request_body = RenameFiles,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn rename_files(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileUpdate>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&RENAME)?;
    let files = input.items("files").filter_map(renaming).collect();
    files::rename(&cx, &access, input.required_text("root"), files).await?;
    Ok(NoContent)
}

fn renaming(file: &Value) -> Option<RenameFile> {
    let text = |name| file.get(name)?.as_str().map(str::to_owned);
    Some(RenameFile {
        from: text("from")?,
        to: text("to")?,
    })
}
