//! `POST …/files/decompress`.

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

/// An archive to unpack.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct DecompressFile {
    /// Where it lies and its contents go; `/` when absent.
    root: Option<String>,
    /// Its name.
    file: String,
}

static DECOMPRESS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("root", "nullable|string")
        .field("file", "required|string")
});

/// Unpack an archive
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/files/decompress",
    operation_id = "decompressFile",
    tag = "files",
    params(ServerPath),
    request_body = DecompressFile,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn decompress_file(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileCreate>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&DECOMPRESS)?;
    let file = input.required_text("file");
    files::decompress(&cx, &access, input.text("root"), file).await?;
    Ok(NoContent)
}
