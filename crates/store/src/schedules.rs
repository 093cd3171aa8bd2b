//! Schedules of servers, each with its tasks.

use hatchery_vocab::{NodeId, ScheduleId, ServerId, Timestamp};
use std::fmt::Write as _;

use crate::sql::{Cells, Param, cell, params, read_all};
use crate::tasks::{self, Task};
use crate::{Store, StoreError, Tx};

/// When a schedule runs, as people write it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the field")]
pub struct CronText {
    pub minute: String,
    pub hour: String,
    pub day_of_month: String,
    pub month: String,
    pub day_of_week: String,
}

/// A schedule and its tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The row.
    pub id: ScheduleId,
    /// Whose it is.
    pub server_id: ServerId,
    /// What people call it.
    pub name: String,
    /// When it runs.
    pub cron: CronText,
    /// Whether it runs by itself.
    pub is_active: bool,
    /// Whether a run has not ended.
    pub is_processing: bool,
    /// Whether it does nothing while the server is off.
    pub only_when_online: bool,
    /// When the last run ended.
    pub last_run_at: Option<Timestamp>,
    /// When it runs next.
    pub next_run_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it, or one of its tasks, changed last.
    pub updated_at: Timestamp,
    /// Its tasks in the order in which they were made.
    pub tasks: Vec<Task>,
}

impl Schedule {
    /// The tasks in the order in which they run.
    pub fn sequence(&self) -> Vec<&Task> {
        let mut tasks: Vec<&Task> = self.tasks.iter().collect();
        tasks.sort_by_key(|task| (task.sequence_id, task.id));
        tasks
    }
}

/// A schedule as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "see Schedule")]
pub struct NewSchedule {
    pub name: String,
    pub cron: CronText,
    pub is_active: bool,
    pub only_when_online: bool,
    pub next_run_at: Timestamp,
}

/// A schedule whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueSchedule {
    /// The row.
    pub id: ScheduleId,
    /// Whose it is.
    pub server_id: ServerId,
    /// Where the server is.
    pub node_id: NodeId,
    /// The time that has come.
    pub due: Timestamp,
}

/// Schedules, each in as many rows as it has tasks, but at least one.
const SELECT: &str =
    "SELECT s.id, s.server_id, s.name, s.cron_minute, s.cron_hour, s.cron_day_of_month,
        s.cron_month, s.cron_day_of_week, s.is_active, s.is_processing, s.only_when_online,
        s.last_run_at, s.next_run_at, s.created_at, s.updated_at,
        t.id, t.sequence_id, t.action, t.payload, t.time_offset, t.is_queued, t.continue_on_failure,
        t.last_run_at, t.last_outcome, t.created_at, t.updated_at
    FROM schedules s LEFT JOIN tasks t ON t.schedule_id = s.id";

fn read(cells: &mut Cells) -> Result<Schedule, StoreError> {
    Ok(Schedule {
        id: cells.take()?,
        server_id: cells.take()?,
        name: cells.take()?,
        cron: CronText {
            minute: cells.take()?,
            hour: cells.take()?,
            day_of_month: cells.take()?,
            month: cells.take()?,
            day_of_week: cells.take()?,
        },
        is_active: cells.take()?,
        is_processing: cells.take()?,
        only_when_online: cells.take()?,
        last_run_at: cells.take()?,
        next_run_at: cells.take()?,
        created_at: cells.take()?,
        updated_at: cells.take()?,
        tasks: tasks::read_joined(cells)?.into_iter().collect(),
    })
}

/// Puts the rows of one schedule together; they come one after the other.
fn gather(rows: Vec<Schedule>) -> Vec<Schedule> {
    let mut schedules: Vec<Schedule> = Vec::new();
    for row in rows {
        match schedules.last_mut().filter(|last| last.id == row.id) {
            Some(schedule) => schedule.tasks.extend(row.tasks),
            None => schedules.push(row),
        }
    }
    schedules
}

impl Store {
    /// A server's schedules, oldest first.
    pub async fn schedules_of(&self, server: ServerId) -> Result<Vec<Schedule>, StoreError> {
        let sql = format!("{SELECT} WHERE s.server_id = $1 ORDER BY s.id, t.id");
        let rows = self.db().few(&sql, &params![server]).await?;
        read_all(rows, read).map(gather)
    }

    /// One schedule of a server.
    pub async fn schedule(
        &self,
        server: ServerId,
        id: ScheduleId,
    ) -> Result<Option<Schedule>, StoreError> {
        let sql = format!("{SELECT} WHERE s.id = $1 AND s.server_id = $2 ORDER BY t.id");
        let rows = self.db().few(&sql, &params![id, server]).await?;
        Ok(gather(read_all(rows, read)?).pop())
    }

    /// Active schedules that are due, the longest overdue first: those with tasks, without a run
    /// that has not ended, and whose server is in no extraordinary state. Servers of the nodes
    /// `except` are left out.
    pub async fn due_schedules(
        &self,
        now: Timestamp,
        except: &[NodeId],
        limit: u64,
    ) -> Result<Vec<DueSchedule>, StoreError> {
        let (mut values, others) = not_among(vec![now.value(), limit.value()], except);
        let sql = format!(
            "SELECT s.id, s.server_id, v.node_id, s.next_run_at
             FROM schedules s JOIN servers v ON v.id = s.server_id
             WHERE s.is_active AND s.next_run_at <= $1 AND v.status IS NULL {others}
               AND EXISTS (SELECT 1 FROM tasks t WHERE t.schedule_id = s.id)
               AND NOT EXISTS (SELECT 1 FROM schedule_runs r WHERE r.schedule_id = s.id)
             ORDER BY s.next_run_at, s.id LIMIT $2"
        );
        let rows = self.db().scan(&sql, std::mem::take(&mut values)).await?;
        read_all(rows, |cells| {
            Ok(DueSchedule {
                id: cells.take()?,
                server_id: cells.take()?,
                node_id: cells.take()?,
                due: cells.take()?,
            })
        })
    }
}

/// Parameters, and the condition that a server is on none of these nodes.
pub(crate) fn not_among(
    mut values: Vec<hatchery_db::Value>,
    nodes: &[NodeId],
) -> (Vec<hatchery_db::Value>, String) {
    let mut condition = String::new();
    for node in nodes {
        values.push(node.value());
        // Writing to a String cannot fail.
        let _ = write!(condition, "AND v.node_id <> ${} ", values.len());
    }
    (values, condition)
}

impl Tx {
    /// Makes a schedule without tasks.
    pub async fn create_schedule(
        &mut self,
        server: ServerId,
        new: &NewSchedule,
    ) -> Result<ScheduleId, StoreError> {
        let now = self.now();
        let cron = &new.cron;
        let row = self
            .db()
            .one(
                "INSERT INTO schedules (server_id, name, cron_minute, cron_hour, cron_day_of_month,
                    cron_month, cron_day_of_week, is_active, is_processing, only_when_online,
                    next_run_at, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE, $9, $10, $11, $11) RETURNING id",
                &params![
                    server,
                    new.name,
                    cron.minute,
                    cron.hour,
                    cron.day_of_month,
                    cron.month,
                    cron.day_of_week,
                    new.is_active,
                    new.only_when_online,
                    new.next_run_at,
                    now
                ],
            )
            .await?;
        self.wakes_schedules();
        cell(row)
    }

    /// A schedule as this transaction sees it.
    pub async fn schedule(&mut self, id: ScheduleId) -> Result<Option<Schedule>, StoreError> {
        let sql = format!("{SELECT} WHERE s.id = $1 ORDER BY t.id");
        let rows = self.db().few(&sql, &params![id]).await?;
        Ok(gather(read_all(rows, read)?).pop())
    }

    /// Replaces a schedule. One that is switched on or off counts as not running any more
    /// (client-api.md §3.7.4). Says whether it still exists.
    pub async fn update_schedule(
        &mut self,
        id: ScheduleId,
        new: &NewSchedule,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let cron = &new.cron;
        let rows = self
            .db()
            .exec(
                "UPDATE schedules SET name = $2, cron_minute = $3, cron_hour = $4,
                    cron_day_of_month = $5, cron_month = $6, cron_day_of_week = $7,
                    is_processing = (is_processing AND is_active = $8), is_active = $8,
                    only_when_online = $9, next_run_at = $10, updated_at = $11
                 WHERE id = $1",
                &params![
                    id,
                    new.name,
                    cron.minute,
                    cron.hour,
                    cron.day_of_month,
                    cron.month,
                    cron.day_of_week,
                    new.is_active,
                    new.only_when_online,
                    new.next_run_at,
                    now
                ],
            )
            .await?;
        self.wakes_schedules();
        Ok(rows > 0)
    }

    /// Deletes a schedule with its tasks. Says whether there was one.
    pub async fn delete_schedule(&mut self, id: ScheduleId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM schedules WHERE id = $1";
        Ok(self.db().exec(sql, &params![id]).await? > 0)
    }

    /// Marks a schedule as changed, and makes others who want to change it or its tasks wait for
    /// the end of this transaction. Says whether it still exists.
    pub async fn touch_schedule(&mut self, id: ScheduleId) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE schedules SET updated_at = $2 WHERE id = $1";
        Ok(self.db().exec(sql, &params![id, now]).await? > 0)
    }
}
