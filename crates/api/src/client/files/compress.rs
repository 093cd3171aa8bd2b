//! `POST …/files/compress`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, files};
use hatchery_rules::Fields;
use hatchery_wire::Item;
use hatchery_wire::client::FileObject;
use serde::Deserialize;
use utoipa::ToSchema;

use super::list::shown;
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// Files to pack.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct CompressFiles {
    /// The folder to which the names belong and into which the archive goes; `/` when absent.
    root: Option<String>,
    /// Their names.
    files: Vec<String>,
}

static COMPRESS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("root", "nullable|string")
        .field("files", "required|array")
        .field("files.*", "string")
});

/// Pack files
///
/// Into a new `tar.gz` beside them, which is answered once it is whole.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/files/compress",
    operation_id = "compressFiles",
    tag = "files",
    params(ServerPath),
    request_body = CompressFiles,
    responses((status = 200, body = Item<FileObject>), ServerErrors)
)]
pub(crate) async fn compress_files(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileArchive>,
    input: Input,
) -> Result<Ok200<Item<FileObject>>, ApiError> {
    input.check(&COMPRESS)?;
    let archive = files::compress(&cx, &access, input.text("root"), input.texts("files")).await?;
    Ok(Ok200(shown(archive, cx.now()).into()))
}
