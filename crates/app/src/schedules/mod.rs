//! Schedules of servers: keeping them, and running them when they are due (client-api.md §8).

mod run;
mod slots;
mod step;
mod tasks;

use hatchery_cron::{Cron, Expression, Invalid};
use hatchery_store::{CronText, NewSchedule, Schedule, StoreError, Subject};
use hatchery_vocab::Timestamp;

use crate::Cx;
use crate::access::{Access, needs};
use crate::activity::Event;

pub use run::{ExecuteError, Job, carry_out, execute, take_due};
pub use slots::Slots;
pub use step::TaskError;
pub use tasks::{SaveTaskError, TaskForm, create_task, delete_task, update_task};

/// A schedule as somebody wants it to be.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "see hatchery_store::Schedule")]
pub struct ScheduleForm {
    pub name: String,
    pub cron: CronText,
    pub is_active: bool,
    pub only_when_online: bool,
}

/// Why a schedule was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The cron fields make no sense, or name a time that never comes.
    #[error("the schedule is never due")]
    Cron(#[from] Invalid),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A server's schedules, oldest first.
pub async fn list(
    cx: &Cx,
    access: &Access<needs::ScheduleRead>,
) -> Result<Vec<Schedule>, StoreError> {
    cx.store().schedules_of(access.server.id).await
}

/// Makes a schedule without tasks.
pub async fn create(
    cx: &Cx,
    access: &Access<needs::ScheduleCreate>,
    form: ScheduleForm,
) -> Result<Schedule, SaveError> {
    let new = form.timed(cx)?;
    let mut tx = cx.store().begin().await?;
    let id = tx.create_schedule(access.server.id, &new).await?;
    let created = tx.schedule(id).await?;
    tx.commit().await?;
    Event::new("server:schedule.create")
        .with("name", new.name)
        .about(Subject::Schedule(id))
        .on_server(cx, access);
    created.ok_or_else(|| StoreError::Corrupt("a new schedule is gone".to_owned()).into())
}

/// Replaces a schedule. Nothing when it was deleted meanwhile.
pub async fn update(
    cx: &Cx,
    access: &Access<needs::ScheduleUpdate>,
    schedule: &Schedule,
    form: ScheduleForm,
) -> Result<Option<Schedule>, SaveError> {
    let new = form.timed(cx)?;
    let mut tx = cx.store().begin().await?;
    tx.update_schedule(schedule.id, &new).await?;
    let updated = tx.schedule(schedule.id).await?;
    tx.commit().await?;
    if updated.is_some() {
        // The name is the one before the update (client-api.md §3.7.4).
        Event::new("server:schedule.update")
            .with("name", schedule.name.as_str())
            .with("active", new.is_active)
            .about(Subject::Schedule(schedule.id))
            .on_server(cx, access);
    }
    Ok(updated)
}

/// Deletes a schedule with its tasks. Says whether there was one.
pub async fn delete(
    cx: &Cx,
    access: &Access<needs::ScheduleDelete>,
    schedule: &Schedule,
) -> Result<bool, StoreError> {
    let mut tx = cx.store().begin().await?;
    let deleted = tx.delete_schedule(schedule.id).await?;
    tx.commit().await?;
    if deleted {
        Event::new("server:schedule.delete")
            .with("name", schedule.name.as_str())
            .about(Subject::Schedule(schedule.id))
            .on_server(cx, access);
    }
    Ok(deleted)
}

/// When these fields are due, from now on, in the panel's time zone; at most `count` times.
pub fn next_runs(cx: &Cx, cron: &CronText, count: usize) -> Result<Vec<Timestamp>, Invalid> {
    let cron = understand(cron)?;
    let runs = cron.runs_after(cx.now(), &cx.settings().time_zone);
    Ok(runs.take(count).collect())
}

fn next_run(cx: &Cx, cron: &CronText) -> Result<Timestamp, Invalid> {
    let next = understand(cron)?.next_after(cx.now(), &cx.settings().time_zone);
    // What never comes is as good as no time at all (client-api.md §8.1).
    next.ok_or(Invalid)
}

fn understand(cron: &CronText) -> Result<Cron, Invalid> {
    Cron::parse(Expression {
        minute: &cron.minute,
        hour: &cron.hour,
        day_of_month: &cron.day_of_month,
        month: &cron.month,
        day_of_week: &cron.day_of_week,
    })
}

impl ScheduleForm {
    fn timed(self, cx: &Cx) -> Result<NewSchedule, Invalid> {
        Ok(NewSchedule {
            next_run_at: next_run(cx, &self.cron)?,
            name: self.name,
            cron: self.cron,
            is_active: self.is_active,
            only_when_online: self.only_when_online,
        })
    }
}
