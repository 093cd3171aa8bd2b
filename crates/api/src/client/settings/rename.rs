//! `POST …/settings/rename`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::servers::settings;
use hatchery_rules::Fields;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// What a server is to be called.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct RenameServer {
    /// Its name.
    #[schema(max_length = 191, example = "Survival")]
    name: String,
    /// Its description; null empties it, and absent it stays.
    #[schema(max_length = 65535)]
    description: Option<String>,
}

/// A description has the reference's largest size, above which that fails.
static RENAME: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("name", "required|string|min:1|max:191")
        .field("description", "string|nullable|max:65535")
});

/// Rename a server
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/settings/rename",
    operation_id = "renameServer",
    tag = "settings",
    params(ServerPath),
    request_body = RenameServer,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn rename_server(
    State(cx): State<Cx>,
    Server(access): Server<needs::SettingsRename>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&RENAME)?;
    let description = input
        .get("description")
        .map(|description| description.as_str().unwrap_or_default());
    settings::rename(&cx, &access, input.required_text("name"), description).await?;
    Ok(NoContent)
}
