//! `POST …/schedules/{schedule}/tasks/{task}`.

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, schedules};
use hatchery_wire::Item;
use hatchery_wire::client::ScheduleTask;

use super::form::{self, SaveTask};
use crate::client::documented::ServerErrors;
use crate::client::schedules::child::{TaskOf, TaskPath};
use crate::client::schedules::shown::{self, Outcomes};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::ServerWith;

/// Update a task
///
/// Replaces every field but the place, which stays when it is absent.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/schedules/{schedule}/tasks/{task}",
    operation_id = "updateTask",
    tag = "schedules",
    params(TaskPath),
    request_body = SaveTask,
    responses((status = 200, body = Item<ScheduleTask>), ServerErrors)
)]
pub(crate) async fn update_task(
    State(cx): State<Cx>,
    ServerWith(access, TaskOf { schedule, task }): ServerWith<TaskOf, needs::ScheduleUpdate>,
    input: Input,
) -> Result<Ok200<Item<ScheduleTask>>, ApiError> {
    let form = form::read(&input)?;
    let task = schedules::update_task(&cx, &access, &schedule, &task, form).await?;
    Ok(Ok200(shown::task(task, Outcomes::Hidden).into()))
}
