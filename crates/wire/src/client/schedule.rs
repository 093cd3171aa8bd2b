//! Schedules and their tasks (client-api.md §4.7, §4.8).

use serde::Serialize;

use crate::List;

crate::resources! {
    Schedule: "server_schedule",
    ScheduleTask: "schedule_task",
}

/// A schedule of a server.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Schedule {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// When it runs.
    pub cron: Cron,
    /// Whether it runs by itself.
    pub is_active: bool,
    /// Whether a run has not ended.
    pub is_processing: bool,
    /// Whether it does nothing while the server is off.
    pub only_when_online: bool,
    /// When the last run ended.
    pub last_run_at: Option<String>,
    /// When it runs next.
    pub next_run_at: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it, or one of its tasks, changed last.
    pub updated_at: String,
    /// What belongs to it.
    pub relationships: ScheduleRelationships,
}

/// When a schedule runs, in the fields of cron.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Cron {
    /// Days of the week.
    pub day_of_week: String,
    /// Days of the month.
    pub day_of_month: String,
    /// Months.
    pub month: String,
    /// Hours.
    pub hour: String,
    /// Minutes.
    pub minute: String,
}

/// What belongs to a schedule.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScheduleRelationships {
    /// Its tasks in the order in which they were made.
    pub tasks: List<ScheduleTask>,
}

/// A task of a schedule.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScheduleTask {
    /// Its number.
    pub id: i64,
    /// Its place in the run, from 1.
    pub sequence_id: i64,
    /// `command`, `power` or `backup`.
    pub action: &'static str,
    /// The command, the power signal, or what the backup leaves out.
    pub payload: String,
    /// How many seconds after the task before it.
    pub time_offset: u32,
    /// Whether it is the next one of a run.
    pub is_queued: bool,
    /// Whether the run goes on when the node fails.
    pub continue_on_failure: bool,
    /// When it was made.
    pub created_at: String,
    /// When it changed last.
    pub updated_at: String,
    /// How it ended last; only with `include=outcomes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<TaskOutcome>,
}

/// How a task ended last.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TaskOutcome {
    /// When.
    pub at: String,
    /// `done`, or why it failed.
    pub result: String,
}
