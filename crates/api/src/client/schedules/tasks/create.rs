//! `POST …/schedules/{schedule}/tasks`.

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, schedules};
use hatchery_wire::Item;
use hatchery_wire::client::ScheduleTask;

use super::form::{self, SaveTask};
use crate::client::documented::ServerErrors;
use crate::client::schedules::child::{ScheduleOf, SchedulePath};
use crate::client::schedules::shown::{self, Outcomes};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::ServerWith;

/// Create a task
///
/// At the end of the schedule, or before those that are at its place or behind it.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/schedules/{schedule}/tasks",
    operation_id = "createTask",
    tag = "schedules",
    params(SchedulePath),
    request_body = SaveTask,
    responses((status = 200, body = Item<ScheduleTask>), ServerErrors)
)]
pub(crate) async fn create_task(
    State(cx): State<Cx>,
    ServerWith(access, ScheduleOf(schedule)): ServerWith<ScheduleOf, needs::ScheduleUpdate>,
    input: Input,
) -> Result<Ok200<Item<ScheduleTask>>, ApiError> {
    let task = schedules::create_task(&cx, &access, &schedule, form::read(&input)?).await?;
    Ok(Ok200(shown::task(task, Outcomes::Hidden).into()))
}
