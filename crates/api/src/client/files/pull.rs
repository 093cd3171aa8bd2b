//! `POST …/files/pull`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, files};
use hatchery_node_proto::{Flag, Pull};
use hatchery_rules::Fields;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// A file to fetch.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct PullFile {
    /// Its address.
    url: String,
    /// Where it goes; `/` when absent.
    directory: Option<String>,
    /// The name to give it; that of the address when absent.
    filename: Option<String>,
    /// Whether the other side may name it.
    #[serde(default)]
    use_header: bool,
    /// Whether to wait until it is there.
    #[serde(default)]
    foreground: bool,
}

static PULL: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("url", "required|string|url")
        .field("directory", "nullable|string")
        .field("filename", "nullable|string")
        .field("use_header", "boolean")
        .field("foreground", "boolean")
});

/// Fetch a file
///
/// From the internet by the node, in the background unless `foreground` is set. At most 10 times in
/// 5 minutes.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/files/pull",
    operation_id = "pullFile",
    tag = "files",
    params(ServerPath),
    request_body = PullFile,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn pull_file(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileCreate>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&PULL)?;
    let directory = input.text("directory");
    let flag = |name| input.get(name).cloned().map(Flag);
    let pull = Pull {
        url: input.required_text("url").to_owned(),
        root: directory.unwrap_or("/").to_owned(),
        file_name: input.text("filename").map(str::to_owned),
        use_header: flag("use_header"),
        foreground: flag("foreground"),
    };
    files::pull(&cx, &access, directory, pull).await?;
    Ok(NoContent)
}
