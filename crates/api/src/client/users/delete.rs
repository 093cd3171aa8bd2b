//! `DELETE …/users/{user}`.

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, subusers};

use super::{OwnSubuser, SubuserPath};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;

/// Remove a subuser
///
/// Consoles and links that they opened end.
#[utoipa::path(
    delete,
    path = "/api/client/servers/{server}/users/{user}",
    operation_id = "deleteSubuser",
    tag = "users",
    params(ServerPath, SubuserPath),
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn delete_subuser(
    State(cx): State<Cx>,
    ServerWith(access, subuser): ServerWith<OwnSubuser, needs::UserDelete>,
) -> Result<NoContent, ApiError> {
    let OwnSubuser { user, .. } = subuser.of_somebody_else(&access)?;
    if subusers::delete(&cx, &access, &user).await? {
        Ok(NoContent)
    } else {
        Err(ApiError::not_found())
    }
}
