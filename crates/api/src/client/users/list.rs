//! `GET …/users`.

use axum::extract::State;
use axum::response::Response;
use hatchery_app::access::needs;
use hatchery_app::{Cx, servers};
use hatchery_wire::List;
use hatchery_wire::client::Subuser;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;
use crate::kit::page::whole_list;
use crate::kit::server::Server;
use crate::render;

/// List subusers
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/users",
    operation_id = "listSubusers",
    tag = "users",
    params(ServerPath),
    responses((status = 200, body = List<Subuser>), ServerErrors)
)]
pub(crate) async fn list_subusers(
    State(cx): State<Cx>,
    Server(access): Server<needs::UserRead>,
    query: Query,
    here: Here,
) -> Result<Response, ApiError> {
    let subusers = servers::subusers(&cx, access.server.id).await?;
    let subusers = subusers.into_iter().map(render::subuser);
    Ok(whole_list(subusers, &query, &here))
}
