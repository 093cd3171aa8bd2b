//! `GET …/users/{user}`.

use hatchery_app::access::needs;
use hatchery_wire::Item;
use hatchery_wire::client::Subuser;

use super::{OwnSubuser, SubuserPath};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;
use crate::render;

/// View a subuser
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/users/{user}",
    operation_id = "viewSubuser",
    tag = "users",
    params(ServerPath, SubuserPath),
    responses((status = 200, body = Item<Subuser>), ServerErrors)
)]
pub(crate) async fn view_subuser(
    ServerWith(access, subuser): ServerWith<OwnSubuser, needs::UserRead>,
) -> Result<Ok200<Item<Subuser>>, ApiError> {
    let OwnSubuser { subuser, user } = subuser.of_somebody_else(&access)?;
    Ok(Ok200(render::subuser((subuser, user)).into()))
}
