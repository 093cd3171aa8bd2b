//! `DELETE …/schedules/{schedule}/tasks/{task}`.

use axum::extract::State;
use hatchery_app::{Cx, schedules};

use crate::client::documented::ServerErrors;
use crate::client::schedules::child::{TaskOf, TaskPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;

/// Delete a task
///
/// Later ones move up. Takes the permission `schedule.update`.
#[utoipa::path(
    delete,
    path = "/api/client/servers/{server}/schedules/{schedule}/tasks/{task}",
    operation_id = "deleteTask",
    tag = "schedules",
    params(TaskPath),
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn delete_task(
    State(cx): State<Cx>,
    ServerWith(access, TaskOf { schedule, task }): ServerWith<TaskOf>,
) -> Result<NoContent, ApiError> {
    // Refuses in words of its own (client-api.md §3.7.9).
    let access = access
        .with()
        .map_err(|_| ApiError::forbidden("You do not have permission to perform this action."))?;
    if schedules::delete_task(&cx, &access, &schedule, &task).await? {
        Ok(NoContent)
    } else {
        Err(ApiError::not_found())
    }
}
