//! `GET …/files/download` and `GET …/files/upload`: addresses that carry their own permission.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, files};
use hatchery_rules::Fields;
use hatchery_wire::Item;
use hatchery_wire::client::SignedUrl;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::origin::Here;
use crate::kit::server::Server;

static DOWNLOAD: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("file", "required|string"));

/// Download a file
///
/// An address from which the file can be fetched once, without a key, within 15 minutes.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/files/download",
    operation_id = "downloadFile",
    tag = "files",
    params(ServerPath, ("file" = String, Query, description = "The file's path.")),
    responses((status = 200, body = Item<SignedUrl>), ServerErrors)
)]
pub(crate) async fn download_file(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileReadContent>,
    here: Here,
    input: Input,
) -> Result<Ok200<Item<SignedUrl>>, ApiError> {
    input.check(&DOWNLOAD)?;
    let url = files::download_link(&cx, &access, input.required_text("file"), here.panel(&cx))?;
    Ok(Ok200(SignedUrl { url }.into()))
}

/// Upload files
///
/// An address to which files can be posted once, as the field `files` of a multipart form, without
/// a key, within 15 minutes. The folder is its query parameter `directory`.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/files/upload",
    operation_id = "uploadFiles",
    tag = "files",
    params(ServerPath),
    responses((status = 200, body = Item<SignedUrl>), ServerErrors)
)]
pub(crate) async fn upload_files(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileCreate>,
    here: Here,
) -> Result<Ok200<Item<SignedUrl>>, ApiError> {
    let url = files::upload_link(&cx, &access, here.panel(&cx))?;
    Ok(Ok200(SignedUrl { url }.into()))
}
