//! `POST …/users/{user}`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::subusers::{self, UpdateError};
use hatchery_wire::Item;
use hatchery_wire::client::Subuser;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{OwnSubuser, PERMISSIONS, SubuserPath, granted};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::ServerWith;
use crate::render;

/// What a subuser may do from now on.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct UpdateSubuser {
    /// All their permissions; unknown ones are dropped, and `websocket.connect` is always given.
    #[schema(min_items = 1, example = json!(["control.console", "control.start"]))]
    permissions: Vec<String>,
}

/// Change a subuser's permissions
///
/// The list replaces the old one. Consoles and links that they opened end.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/users/{user}",
    operation_id = "updateSubuser",
    tag = "users",
    params(ServerPath, SubuserPath),
    request_body = UpdateSubuser,
    responses((status = 200, body = Item<Subuser>), ServerErrors)
)]
pub(crate) async fn update_subuser(
    State(cx): State<Cx>,
    ServerWith(access, subuser): ServerWith<OwnSubuser, needs::UserUpdate>,
    input: Input,
) -> Result<Ok200<Item<Subuser>>, ApiError> {
    let OwnSubuser { subuser, user } = subuser.of_somebody_else(&access)?;
    let granted = granted(&access, &input)?;
    input.check(&PERMISSIONS)?;
    let subuser = subusers::update(&cx, &access, &subuser, &user, granted).await?;
    Ok(Ok200(render::subuser((subuser, user)).into()))
}

impl From<UpdateError> for ApiError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Gone => Self::not_found(),
            UpdateError::Store(error) => error.into(),
        }
    }
}
