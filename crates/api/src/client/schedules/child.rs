//! The schedule or task that an address names.

use hatchery_app::Cx;
use hatchery_store::{Schedule, ServerSnapshot, Task};
use hatchery_vocab::{ScheduleId, TaskId};
use utoipa::IntoParams;

use crate::kit::actor::Segments;
use crate::kit::error::ApiError;
use crate::kit::server::Child;

/// A schedule of the server. Those of other servers are not found (client-api.md §3.7).
pub(super) struct ScheduleOf(pub(super) Schedule);

/// A task of a schedule of the server.
pub(super) struct TaskOf {
    pub(super) schedule: Schedule,
    pub(super) task: Task,
}

impl Child for ScheduleOf {
    async fn find(cx: &Cx, server: &ServerSnapshot, at: &Segments) -> Result<Self, ApiError> {
        let id = number(at, "schedule").ok_or_else(ApiError::not_found)?;
        let schedule = cx.store().schedule(server.id, ScheduleId::new(id)).await?;
        schedule.map(Self).ok_or_else(ApiError::not_found)
    }
}

impl Child for TaskOf {
    async fn find(cx: &Cx, server: &ServerSnapshot, at: &Segments) -> Result<Self, ApiError> {
        let ScheduleOf(schedule) = ScheduleOf::find(cx, server, at).await?;
        let id = number(at, "task").map(TaskId::new);
        let task = schedule.tasks.iter().find(|task| Some(task.id) == id);
        let task = task.cloned().ok_or_else(ApiError::not_found)?;
        Ok(Self { schedule, task })
    }
}

/// A number in the address: digits alone.
fn number(segments: &Segments, name: &str) -> Option<i64> {
    let text = segments.get(name)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// The server and the schedule of a route.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct SchedulePath {
    /// The server's UUID, or the first eight characters of it.
    server: String,
    /// The schedule's number.
    schedule: i64,
}

/// The server, the schedule and the task of a route.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct TaskPath {
    /// The server's UUID, or the first eight characters of it.
    server: String,
    /// The schedule's number.
    schedule: i64,
    /// The task's number.
    task: i64,
}

/// What can be seen beside a schedule.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct ScheduleIncludes {
    /// `outcomes`: how each task ended last.
    include: Option<String>,
}
