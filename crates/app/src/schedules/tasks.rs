//! The tasks of a schedule and their places (client-api.md §8.3).

use hatchery_store::{NewTask, Schedule, StoreError, Subject, Task};
use hatchery_vocab::TaskAction;

use crate::Cx;
use crate::access::{Access, needs};
use crate::activity::Event;

/// A task as somebody wants it to be.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "see hatchery_store::Task")]
pub struct TaskForm {
    /// The place that it is to have, if that was said.
    pub sequence_id: Option<i64>,
    pub action: TaskAction,
    pub payload: String,
    pub time_offset: u32,
    pub continue_on_failure: bool,
}

/// Why a task was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveTaskError {
    /// There are as many as a schedule may have.
    #[error("the schedule has {limit} tasks, which is the limit")]
    LimitReached {
        /// How many there may be.
        limit: u32,
    },
    /// It would make backups, of which the server may have none.
    #[error("the server may have no backups")]
    NoBackups,
    /// It or its schedule was deleted meanwhile.
    #[error("the task is gone")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds a task at the end, or before those that are at its place or behind it.
pub async fn create_task(
    cx: &Cx,
    access: &Access<needs::ScheduleUpdate>,
    schedule: &Schedule,
    form: TaskForm,
) -> Result<Task, SaveTaskError> {
    let limit = cx.settings().tasks_per_schedule;
    let mut tx = cx.store().begin().await?;
    // From here on nobody else adds or moves tasks of this schedule.
    if !tx.touch_schedule(schedule.id).await? {
        return Err(SaveTaskError::Gone);
    }
    let tasks = tx.tasks_of(schedule.id).await?;
    if tasks.len() >= limit as usize {
        return Err(SaveTaskError::LimitReached { limit });
    }
    if form.makes_backups_in_vain(access) {
        return Err(SaveTaskError::NoBackups);
    }
    let end = tasks.last().map_or(0, |last| last.sequence_id) + 1;
    let place = form.sequence_id.map_or(end, |wanted| wanted.clamp(1, end));
    if place < end {
        tx.move_tasks(schedule.id, place, i64::MAX, 1).await?;
    }
    let task = tx.create_task(schedule.id, &form.at(place)).await?;
    tx.commit().await?;
    Event::new("server:task.create")
        .with("name", schedule.name.as_str())
        .with("action", task.action.as_str())
        .with("payload", task.payload.as_str())
        .about(Subject::Schedule(schedule.id))
        .about(Subject::Task(task.id))
        .on_server(cx, access);
    Ok(task)
}

/// Replaces a task. A new place need not be next to an old one (client-api.md §8.3).
pub async fn update_task(
    cx: &Cx,
    access: &Access<needs::ScheduleUpdate>,
    schedule: &Schedule,
    task: &Task,
    form: TaskForm,
) -> Result<Task, SaveTaskError> {
    if form.makes_backups_in_vain(access) {
        return Err(SaveTaskError::NoBackups);
    }
    let mut tx = cx.store().begin().await?;
    tx.touch_schedule(schedule.id).await?;
    let tasks = tx.tasks_of(schedule.id).await?;
    let before = tasks.iter().find(|found| found.id == task.id);
    let before = before.ok_or(SaveTaskError::Gone)?;
    let (old, new) = (
        before.sequence_id,
        form.sequence_id.unwrap_or(before.sequence_id).max(1),
    );
    if new < old {
        tx.move_tasks(schedule.id, new, old - 1, 1).await?;
    } else if new > old {
        tx.move_tasks(schedule.id, old + 1, new, -1).await?;
    }
    let updated = tx.update_task(task.id, &form.at(new)).await?;
    tx.commit().await?;
    // Action and payload are those before the update (client-api.md §3.7.8).
    Event::new("server:task.update")
        .with("name", schedule.name.as_str())
        .with("action", before.action.as_str())
        .with("payload", before.payload.as_str())
        .about(Subject::Schedule(schedule.id))
        .about(Subject::Task(task.id))
        .on_server(cx, access);
    Ok(updated)
}

/// Deletes a task; later ones move up. Says whether there was one.
pub async fn delete_task(
    cx: &Cx,
    access: &Access<needs::ScheduleUpdate>,
    schedule: &Schedule,
    task: &Task,
) -> Result<bool, StoreError> {
    let mut tx = cx.store().begin().await?;
    tx.touch_schedule(schedule.id).await?;
    let tasks = tx.tasks_of(schedule.id).await?;
    let Some(found) = tasks.iter().find(|found| found.id == task.id) else {
        return Ok(false);
    };
    tx.delete_task(task.id).await?;
    tx.move_tasks(schedule.id, found.sequence_id + 1, i64::MAX, -1)
        .await?;
    tx.commit().await?;
    Event::new("server:task.delete")
        .with("name", schedule.name.as_str())
        .about(Subject::Schedule(schedule.id))
        .about(Subject::Task(task.id))
        .on_server(cx, access);
    Ok(true)
}

impl TaskForm {
    fn makes_backups_in_vain<P>(&self, access: &Access<P>) -> bool {
        self.action == TaskAction::Backup && access.server.feature_limits.backups == 0
    }

    fn at(self, sequence_id: i64) -> NewTask {
        NewTask {
            sequence_id,
            action: self.action,
            payload: self.payload,
            time_offset: self.time_offset,
            continue_on_failure: self.continue_on_failure,
        }
    }
}
