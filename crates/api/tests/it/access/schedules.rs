//! Who may use `/servers/{server}/schedules`.

use hatchery_store::{CronText, NewSchedule, NewTask};
use hatchery_testkit::{Person, TestPanel};
use hatchery_vocab::TaskAction;

use super::{Prepared, Row};

const SCHEDULE: &str = r#"{"name": "a", "minute": "0", "hour": "4", "day_of_month": "*", "month": "*", "day_of_week": "*"}"#;
const TASK: &str = r#"{"action": "command", "payload": "say hi", "time_offset": 0}"#;

pub(super) const ROWS: &[Row] = &[
    Row::needs("listSchedules", "schedule.read"),
    Row::needs("createSchedule", "schedule.create").json(SCHEDULE),
    Row::needs("viewSchedule", "schedule.read").about(a_schedule),
    Row::needs("updateSchedule", "schedule.update")
        .json(SCHEDULE)
        .about(a_schedule),
    Row::needs("deleteSchedule", "schedule.delete")
        .about(a_schedule)
        .answers("204"),
    Row::needs("executeSchedule", "schedule.update")
        .about(a_schedule)
        .answers("202"),
    Row::needs("createTask", "schedule.update")
        .json(TASK)
        .about(a_schedule),
    Row::needs("updateTask", "schedule.update")
        .json(TASK)
        .about(a_schedule),
    Row::needs("deleteTask", "schedule.update")
        .about(a_schedule)
        .refuses("HttpForbiddenException: You do not have permission to perform this action.")
        .answers("204"),
];

/// A schedule with one task.
fn a_schedule<'a>(panel: &'a TestPanel, _: &'a Person) -> Prepared<'a> {
    Box::pin(async move {
        let new = NewSchedule {
            name: "Nightly".to_owned(),
            cron: CronText {
                minute: "0".to_owned(),
                hour: "4".to_owned(),
                day_of_month: "*".to_owned(),
                month: "*".to_owned(),
                day_of_week: "*".to_owned(),
            },
            is_active: true,
            only_when_online: false,
            next_run_at: panel.cx.now(),
        };
        let task = NewTask {
            sequence_id: 1,
            action: TaskAction::Command,
            payload: "say hi".to_owned(),
            time_offset: 0,
            continue_on_failure: false,
        };
        let mut tx = panel.store.begin().await.unwrap();
        let server = panel.world.server.id;
        let schedule = tx.create_schedule(server, &new).await.unwrap();
        let task = tx.create_task(schedule, &task).await.unwrap();
        tx.commit().await.unwrap();
        vec![
            ("schedule", schedule.to_string()),
            ("task", task.id.to_string()),
        ]
    })
}
