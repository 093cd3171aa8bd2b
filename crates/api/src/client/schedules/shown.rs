//! Schedules and tasks as the API shows them.

use hatchery_store::{Schedule, Task};
use hatchery_vocab::Timestamp;
use hatchery_wire::client::{
    Cron, Schedule as ScheduleResource, ScheduleRelationships, ScheduleTask, TaskOutcome,
};

use crate::kit::input::Query;
use crate::kit::query::Includes;

/// Whether tasks are shown with how they ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcomes {
    Hidden,
    Shown,
}

impl Outcomes {
    /// What the query asks for. The reference knows no such include, so no client of it sends it.
    pub(super) fn asked(query: &Query) -> Self {
        if Includes::read(query).wants("outcomes") {
            Self::Shown
        } else {
            Self::Hidden
        }
    }
}

pub(super) fn schedule(schedule: Schedule, outcomes: Outcomes) -> ScheduleResource {
    let cron = schedule.cron;
    ScheduleResource {
        id: schedule.id.get(),
        name: schedule.name,
        cron: Cron {
            day_of_week: cron.day_of_week,
            day_of_month: cron.day_of_month,
            month: cron.month,
            hour: cron.hour,
            minute: cron.minute,
        },
        is_active: schedule.is_active,
        is_processing: schedule.is_processing,
        only_when_online: schedule.only_when_online,
        last_run_at: schedule.last_run_at.map(Timestamp::iso_utc),
        next_run_at: schedule.next_run_at.map(Timestamp::iso_utc),
        created_at: schedule.created_at.iso_utc(),
        updated_at: schedule.updated_at.iso_utc(),
        relationships: ScheduleRelationships {
            tasks: schedule
                .tasks
                .into_iter()
                .map(|shown| task(shown, outcomes))
                .collect(),
        },
    }
}

pub(super) fn task(task: Task, outcomes: Outcomes) -> ScheduleTask {
    let outcome = task.last_run_at.zip(task.last_outcome);
    ScheduleTask {
        id: task.id.get(),
        sequence_id: task.sequence_id,
        action: task.action.as_str(),
        payload: task.payload,
        time_offset: task.time_offset,
        is_queued: task.is_queued,
        continue_on_failure: task.continue_on_failure,
        created_at: task.created_at.iso_utc(),
        updated_at: task.updated_at.iso_utc(),
        outcome: outcome
            .filter(|_| outcomes == Outcomes::Shown)
            .map(|(at, result)| TaskOutcome {
                at: at.iso_utc(),
                result,
            }),
    }
}
