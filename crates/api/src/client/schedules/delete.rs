//! `DELETE …/schedules/{schedule}`.

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, schedules};

use super::child::{ScheduleOf, SchedulePath};
use crate::client::documented::ServerErrors;
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;

/// Delete a schedule
///
/// With its tasks.
#[utoipa::path(
    delete,
    path = "/api/client/servers/{server}/schedules/{schedule}",
    operation_id = "deleteSchedule",
    tag = "schedules",
    params(SchedulePath),
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn delete_schedule(
    State(cx): State<Cx>,
    ServerWith(access, ScheduleOf(schedule)): ServerWith<ScheduleOf, needs::ScheduleDelete>,
) -> Result<NoContent, ApiError> {
    if schedules::delete(&cx, &access, &schedule).await? {
        Ok(NoContent)
    } else {
        Err(ApiError::not_found())
    }
}
