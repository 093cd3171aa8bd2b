//! Running schedules: by hand, and when they are due.
//!
//! A run is kept in the database with its next task, so that it outlives the process, and whoever
//! carries a task out has taken the run first: of several panels over one database, one succeeds.

use std::time::Duration;

use hatchery_store::{RunHold, Schedule, StoreError, Subject};
use hatchery_vocab::{ScheduleId, ServerId, TaskId};

use super::next_run;
use super::slots::{Slot, Slots};
use super::step::{Taken, TaskError, is_online, offset};
use crate::access::{Access, needs};
use crate::activity::Event;
use crate::{Cx, detached};

/// After how long somebody who took a run counts as lost: much longer than all the calls to a node
/// that one task can make.
const HOLD: Duration = Duration::from_mins(3);

/// Why a schedule did not run, or stopped at its first task.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// It has no tasks.
    #[error("the schedule has no tasks")]
    NoTasks,
    /// It was deleted meanwhile.
    #[error("the schedule is gone")]
    Gone,
    /// The first task failed.
    #[error(transparent)]
    Task(TaskError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs a schedule now, whether or not it is active. The first task is over when this returns; a
/// run that has not ended begins anew.
pub async fn execute(
    cx: &Cx,
    access: &Access<needs::ScheduleUpdate>,
    schedule: Schedule,
) -> Result<(), ExecuteError> {
    let (cx, access) = (cx.clone(), access.clone());
    detached::to_the_end(async move { execute_all(&cx, &access, &schedule).await }).await
}

async fn execute_all(
    cx: &Cx,
    access: &Access<needs::ScheduleUpdate>,
    schedule: &Schedule,
) -> Result<(), ExecuteError> {
    let server = &access.server;
    let sequence = schedule.sequence();
    let task = *sequence.first().ok_or(ExecuteError::NoTasks)?;
    let mut tx = cx.store().begin().await?;
    let next = next_run(cx, &schedule.cron).ok();
    let until = cx.now().plus(HOLD);
    let hold = tx
        .begin_manual_run(schedule.id, next, task.id, until)
        .await?
        .ok_or(ExecuteError::Gone)?;
    tx.commit().await?;
    if schedule.only_when_online && !is_online(cx, server).await {
        end(cx, &hold).await?;
    } else {
        let taken = Taken {
            hold: &hold,
            server,
            schedule,
            task,
        };
        match taken.carry_out(cx).await? {
            // A server in such a state stops the run without a word (client-api.md §8.4).
            Ok(()) | Err(TaskError::State) => {}
            Err(error) => return Err(ExecuteError::Task(error)),
        }
    }
    Event::new("server:schedule.execute")
        .with("name", schedule.name.as_str())
        .about(Subject::Schedule(schedule.id))
        .on_server(cx, access);
    Ok(())
}

/// Work that this process has taken and nobody else does.
#[derive(Debug)]
#[must_use = "others wait for a job that was taken"]
pub struct Job {
    #[expect(dead_code, reason = "held until the job ends")]
    slot: Slot,
    server: ServerId,
    schedule: ScheduleId,
    hold: RunHold,
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// To begin a run that is due.
    Begin,
    /// To carry out a task.
    Task {
        id: TaskId,
        is_manual: bool,
        /// Somebody began it and did not come back.
        was_begun: bool,
    },
}

/// Takes what is due, as far as there is room.
pub async fn take_due(cx: &Cx, slots: &Slots) -> Result<Vec<Job>, StoreError> {
    let mut jobs = Vec::new();
    // A full node is left out by the next look, so the work of the others comes to the front.
    loop {
        let before = jobs.len();
        take_tasks(cx, slots, &mut jobs).await?;
        take_schedules(cx, slots, &mut jobs).await?;
        if jobs.len() == before {
            return Ok(jobs);
        }
    }
}

async fn take_tasks(cx: &Cx, slots: &Slots, jobs: &mut Vec<Job>) -> Result<(), StoreError> {
    let (now, free) = (cx.now(), slots.free());
    for due in cx.store().due_runs(now, &slots.full_nodes(), free).await? {
        let Some(slot) = slots.take(due.node_id) else {
            continue;
        };
        let mut tx = cx.store().begin().await?;
        let taken = tx.take_run(&due, now.plus(HOLD)).await?;
        tx.commit().await?;
        let Some(hold) = taken else {
            continue;
        };
        jobs.push(Job {
            slot,
            server: due.server_id,
            schedule: due.schedule_id,
            hold,
            work: Work::Task {
                id: due.task_id,
                is_manual: due.is_manual,
                was_begun: due.lost_by.is_some(),
            },
        });
    }
    Ok(())
}

async fn take_schedules(cx: &Cx, slots: &Slots, jobs: &mut Vec<Job>) -> Result<(), StoreError> {
    let (now, free) = (cx.now(), slots.free());
    let full = slots.full_nodes();
    for due in cx.store().due_schedules(now, &full, free).await? {
        let Some(schedule) = cx.store().schedule(due.server_id, due.id).await? else {
            continue;
        };
        let sequence = schedule.sequence();
        let Some(first) = sequence.first() else {
            continue;
        };
        let Some(slot) = slots.take(due.node_id) else {
            continue;
        };
        // A time that was missed several times comes once: the next one is after now.
        let next = next_run(cx, &schedule.cron).ok();
        let mut tx = cx.store().begin().await?;
        let begun = tx.begin_due_run(&due, next, first.id, now.plus(HOLD));
        let Some(hold) = begun.await? else {
            continue;
        };
        tx.commit().await?;
        jobs.push(Job {
            slot,
            server: due.server_id,
            schedule: due.id,
            hold,
            work: Work::Begin,
        });
    }
    Ok(())
}

/// Does a job that was taken.
pub async fn carry_out(cx: &Cx, job: Job) -> Result<(), StoreError> {
    let schedule = cx.store().schedule(job.server, job.schedule).await?;
    let server = cx.store().server(job.server).await?;
    let (Some(schedule), Some(server)) = (schedule, server) else {
        // The run went with the schedule.
        return Ok(());
    };
    let (id, is_manual, was_begun) = match job.work {
        Work::Begin => {
            let sequence = schedule.sequence();
            let is_off = schedule.only_when_online && !is_online(cx, &server).await;
            let mut tx = cx.store().begin().await?;
            match sequence.first().filter(|_| !is_off) {
                Some(first) => {
                    let due_at = cx.now().plus(offset(first));
                    tx.hand_on_run(&job.hold, first.id, due_at).await?;
                }
                None => tx.end_run(&job.hold).await?,
            }
            tx.commit().await?;
            return Ok(());
        }
        Work::Task {
            id,
            is_manual,
            was_begun,
        } => (id, is_manual, was_begun),
    };
    let task = schedule.tasks.iter().find(|task| task.id == id);
    let Some(task) = task.filter(|_| schedule.is_active || is_manual) else {
        return end(cx, &job.hold).await;
    };
    let taken = Taken {
        hold: &job.hold,
        server: &server,
        schedule: &schedule,
        task,
    };
    // Nobody knows how far it got, so it is not done again.
    let ended = if was_begun {
        taken.settle(cx, Err(TaskError::CutShort)).await?
    } else {
        taken.carry_out(cx).await?
    };
    // What ended the run was logged.
    let _: Result<(), TaskError> = ended;
    Ok(())
}

async fn end(cx: &Cx, hold: &RunHold) -> Result<(), StoreError> {
    let mut tx = cx.store().begin().await?;
    tx.end_run(hold).await?;
    tx.commit().await.map(drop)
}
