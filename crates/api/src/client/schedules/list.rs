//! `GET …/schedules`.

use axum::extract::State;
use axum::response::Response;
use hatchery_app::access::needs;
use hatchery_app::{Cx, schedules};
use hatchery_wire::List;
use hatchery_wire::client::Schedule;

use super::child::ScheduleIncludes;
use super::shown::{self, Outcomes};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;
use crate::kit::page::whole_list;
use crate::kit::server::Server;

/// List schedules
///
/// With their tasks.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/schedules",
    operation_id = "listSchedules",
    tag = "schedules",
    params(ServerPath, ScheduleIncludes),
    responses((status = 200, body = List<Schedule>), ServerErrors)
)]
pub(crate) async fn list_schedules(
    State(cx): State<Cx>,
    Server(access): Server<needs::ScheduleRead>,
    query: Query,
    here: Here,
) -> Result<Response, ApiError> {
    let outcomes = Outcomes::asked(&query);
    let found = schedules::list(&cx, &access).await?;
    let found = found
        .into_iter()
        .map(|schedule| shown::schedule(schedule, outcomes));
    Ok(whole_list(found, &query, &here))
}
