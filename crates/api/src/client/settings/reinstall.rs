//! `POST …/settings/reinstall`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::servers::settings::{self, ReinstallError};

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Accepted;
use crate::kit::error::ApiError;
use crate::kit::server::Server;

/// Reinstall a server
///
/// Stops it and runs its installation again over its files.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/settings/reinstall",
    operation_id = "reinstallServer",
    tag = "settings",
    params(ServerPath),
    responses((status = 202, description = "An empty list.", body = Vec<String>), ServerErrors)
)]
pub(crate) async fn reinstall_server(
    State(cx): State<Cx>,
    Server(access): Server<needs::SettingsReinstall>,
) -> Result<Accepted, ApiError> {
    settings::reinstall(&cx, &access).await?;
    Ok(Accepted)
}

impl From<ReinstallError> for ApiError {
    fn from(error: ReinstallError) -> Self {
        match error {
            ReinstallError::Conflict(conflict) => conflict.into(),
            ReinstallError::Node(error) => error.into(),
            ReinstallError::Store(error) => error.into(),
        }
    }
}
