//! Schedules and their tasks.

use hatchery_store::import::{ScheduleRecord, TaskRecord};
use hatchery_vocab::{ScheduleId, ServerId, TaskId};

use super::times;
use crate::ImportError;
use crate::bring::{Bring, Context, Table};
use crate::broken::Broken;
use crate::row::Row;

const SCHEDULES: Table = Table::numbered("schedules");
const TASKS: Table = Table::numbered("tasks");

pub(super) async fn all(bring: &mut Bring) -> Result<(), ImportError> {
    bring.table(SCHEDULES, schedule).await?;
    bring.table(TASKS, task).await
}

fn schedule(row: &Row, context: &Context) -> Result<ScheduleRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    Ok(ScheduleRecord {
        id: ScheduleId::new(row.int("id")?),
        server_id: ServerId::new(context.known.need("servers", row.int("server_id")?)?),
        name: row.text("name")?,
        cron_minute: row.text("cron_minute")?,
        cron_hour: row.text("cron_hour")?,
        cron_day_of_month: row.text("cron_day_of_month")?,
        cron_month: row.text("cron_month")?,
        cron_day_of_week: row.text("cron_day_of_week")?,
        is_active: row.flag("is_active")?,
        only_when_online: row.flag("only_when_online")?,
        is_processing: row.flag("is_processing")?,
        last_run_at: row.opt_time("last_run_at")?,
        next_run_at: row.opt_time("next_run_at")?,
        created_at,
        updated_at,
    })
}

fn task(row: &Row, context: &Context) -> Result<TaskRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    Ok(TaskRecord {
        id: TaskId::new(row.int("id")?),
        schedule_id: ScheduleId::new(context.known.need("schedules", row.int("schedule_id")?)?),
        sequence_id: row.int("sequence_id")?,
        action: row.text("action")?,
        payload: row.text_or_empty("payload")?,
        time_offset: row.int("time_offset")?,
        continue_on_failure: row.flag("continue_on_failure")?,
        is_queued: row.flag("is_queued")?,
        created_at,
        updated_at,
    })
}
