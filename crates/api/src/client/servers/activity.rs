//! `GET /servers/{server}/activity`.

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, activity};
use hatchery_wire::client::ActivityLog;
use hatchery_wire::{ListWith, PageMeta};

use crate::client::activity::{ActivityParameters, Request};
use crate::client::documented::{PageParameters, ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;
use crate::kit::server::Server;

/// List server activity
///
/// What was done on the server, oldest first unless `sort` says otherwise.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/activity",
    operation_id = "listServerActivity",
    tag = "servers",
    params(ServerPath, PageParameters, ActivityParameters),
    responses((status = 200, body = ListWith<ActivityLog, PageMeta>), ServerErrors)
)]
pub(crate) async fn list_server_activity(
    State(cx): State<Cx>,
    Server(access): Server<needs::ActivityRead>,
    query: Query,
    here: Here,
) -> Result<Ok200<ListWith<ActivityLog, PageMeta>>, ApiError> {
    let request = Request::read(&query)?;
    let page = activity::of_server(&cx, &access, &request.query).await?;
    Ok(Ok200(request.answer(
        page,
        &access.actor.user,
        &here,
        &query,
    )))
}
