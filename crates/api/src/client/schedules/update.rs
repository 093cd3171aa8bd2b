//! `POST …/schedules/{schedule}`.

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, schedules};
use hatchery_wire::Item;
use hatchery_wire::client::Schedule;

use super::child::{ScheduleOf, SchedulePath};
use super::form::{self, SaveSchedule};
use super::shown::{self, Outcomes};
use crate::client::documented::ServerErrors;
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::ServerWith;

/// Update a schedule
///
/// Replaces every field; its tasks stay.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/schedules/{schedule}",
    operation_id = "updateSchedule",
    tag = "schedules",
    params(SchedulePath),
    request_body = SaveSchedule,
    responses((status = 200, body = Item<Schedule>), ServerErrors)
)]
pub(crate) async fn update_schedule(
    State(cx): State<Cx>,
    ServerWith(access, ScheduleOf(schedule)): ServerWith<ScheduleOf, needs::ScheduleUpdate>,
    input: Input,
) -> Result<Ok200<Item<Schedule>>, ApiError> {
    let updated = schedules::update(&cx, &access, &schedule, form::read(&input)?).await?;
    let updated = updated.ok_or_else(ApiError::not_found)?;
    Ok(Ok200(shown::schedule(updated, Outcomes::Hidden).into()))
}
