//! `POST …/files/chmod`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, files};
use hatchery_node_proto::{ChmodFile, Mode};
use hatchery_rules::Fields;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// Files whose permissions change.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct ChmodFiles {
    /// The folder to which the names belong.
    root: String,
    /// What becomes of which.
    files: Vec<Permissions>,
}

/// One file and its new permissions.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct Permissions {
    /// Its name.
    file: String,
    /// Octal digits, as a text or a number.
    #[schema(value_type = String, example = "644")]
    mode: Value,
}

static CHMOD: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("root", "required|nullable|string")
        .field("files", "required|array")
        .field("files.*.file", "required|string")
        .field("files.*.mode", "required|numeric")
});

/// Change permissions
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/files/chmod",
    operation_id = "chmodFiles",
    tag = "files",
    params(ServerPath),
    request_body = ChmodFiles,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn chmod_files(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileUpdate>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&CHMOD)?;
    let files = input.items("files").filter_map(change).collect();
    files::chmod(&cx, &access, input.required_text("root"), files).await?;
    Ok(NoContent)
}

fn change(file: &Value) -> Option<ChmodFile> {
    Some(ChmodFile {
        file: file.get("file")?.as_str()?.to_owned(),
        mode: Mode(file.get("mode")?.clone()),
    })
}
