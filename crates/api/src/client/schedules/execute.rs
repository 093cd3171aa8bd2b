//! `POST …/schedules/{schedule}/execute`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::schedules::{self, ExecuteError, TaskError};

use super::child::{ScheduleOf, SchedulePath};
use crate::client::documented::ServerErrors;
use crate::kit::answer::Accepted;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;

/// Run a schedule now
///
/// Also when it is inactive. The first task is carried out before the answer, and its failure is the
/// answer; the others follow by themselves.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/schedules/{schedule}/execute",
    operation_id = "executeSchedule",
    tag = "schedules",
    params(SchedulePath),
    responses((status = 202, body = Vec<String>, description = "An empty list."), ServerErrors)
)]
pub(crate) async fn execute_schedule(
    State(cx): State<Cx>,
    ServerWith(access, ScheduleOf(schedule)): ServerWith<ScheduleOf, needs::ScheduleUpdate>,
) -> Result<Accepted, ApiError> {
    schedules::execute(&cx, &access, schedule).await?;
    Ok(Accepted)
}

impl From<ExecuteError> for ApiError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::NoTasks => Self::display(
                "DisplayException",
                "Cannot process schedule for task execution: no tasks are registered.",
            ),
            ExecuteError::Gone => Self::not_found(),
            ExecuteError::Task(TaskError::Node(error)) => error.into(),
            ExecuteError::Task(TaskError::Backup(error)) => error.into(),
            ExecuteError::Task(error) => Self::internal(&error),
            ExecuteError::Store(error) => error.into(),
        }
    }
}
