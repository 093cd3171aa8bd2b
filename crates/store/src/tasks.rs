//! Tasks of schedules.

use hatchery_vocab::{ScheduleId, TaskAction, TaskId, Timestamp};

use crate::sql::{Cells, cell, params, read_all};
use crate::{StoreError, Tx};

/// A step of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The row.
    pub id: TaskId,
    /// Its place, from 1; not always without gaps.
    pub sequence_id: i64,
    /// What it does.
    pub action: TaskAction,
    /// With what.
    pub payload: String,
    /// How many seconds after the task before it.
    pub time_offset: u32,
    /// Whether it is the next one of a run.
    pub is_queued: bool,
    /// Whether the run goes on when its node fails.
    pub continue_on_failure: bool,
    /// When it ran last.
    pub last_run_at: Option<Timestamp>,
    /// How that ended, in words.
    pub last_outcome: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// A task as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "see Task")]
pub struct NewTask {
    pub sequence_id: i64,
    pub action: TaskAction,
    pub payload: String,
    pub time_offset: u32,
    pub continue_on_failure: bool,
}

const COLUMNS: &str =
    "id, sequence_id, action, payload, time_offset, is_queued, continue_on_failure,
    last_run_at, last_outcome, created_at, updated_at";

fn read(cells: &mut Cells) -> Result<Task, StoreError> {
    let id = cells.take()?;
    read_rest(id, cells)
}

/// The columns of a task that may be missing.
pub(crate) fn read_joined(cells: &mut Cells) -> Result<Option<Task>, StoreError> {
    match cells.take()? {
        Some(id) => read_rest(id, cells).map(Some),
        None => Ok(None),
    }
}

fn read_rest(id: TaskId, cells: &mut Cells) -> Result<Task, StoreError> {
    Ok(Task {
        id,
        sequence_id: cells.take()?,
        action: cells.take()?,
        payload: cells.take()?,
        time_offset: cells.take()?,
        is_queued: cells.take()?,
        continue_on_failure: cells.take()?,
        last_run_at: cells.take()?,
        last_outcome: cells.take()?,
        created_at: cells.take()?,
        updated_at: cells.take()?,
    })
}

impl Tx {
    /// A schedule's tasks in the order in which they run.
    pub async fn tasks_of(&mut self, schedule: ScheduleId) -> Result<Vec<Task>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM tasks WHERE schedule_id = $1 ORDER BY sequence_id, id");
        read_all(self.db().few(&sql, &params![schedule]).await?, read)
    }

    /// Makes a task.
    pub async fn create_task(
        &mut self,
        schedule: ScheduleId,
        new: &NewTask,
    ) -> Result<Task, StoreError> {
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO tasks (schedule_id, sequence_id, action, payload, time_offset, is_queued,
                    continue_on_failure, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, FALSE, $6, $7, $7) RETURNING id",
                &params![
                    schedule, new.sequence_id, new.action, new.payload, new.time_offset,
                    new.continue_on_failure, now
                ],
            )
            .await?;
        self.wakes_schedules();
        let id = cell(row)?;
        self.task(id).await
    }

    /// Replaces a task.
    ///
    /// # Errors
    /// There is none.
    pub async fn update_task(&mut self, id: TaskId, new: &NewTask) -> Result<Task, StoreError> {
        let now = self.now();
        self.db()
            .exec(
                "UPDATE tasks SET sequence_id = $2, action = $3, payload = $4, time_offset = $5,
                    continue_on_failure = $6, updated_at = $7 WHERE id = $1",
                &params![
                    id,
                    new.sequence_id,
                    new.action,
                    new.payload,
                    new.time_offset,
                    new.continue_on_failure,
                    now
                ],
            )
            .await?;
        self.task(id).await
    }

    /// Deletes a task. Says whether there was one.
    pub async fn delete_task(&mut self, id: TaskId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM tasks WHERE id = $1";
        Ok(self.db().exec(sql, &params![id]).await? > 0)
    }

    /// Moves the tasks at the places from `first` to `last` by so many places.
    pub async fn move_tasks(
        &mut self,
        schedule: ScheduleId,
        first: i64,
        last: i64,
        by: i64,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.db()
            .exec(
                "UPDATE tasks SET sequence_id = sequence_id + $4, updated_at = $5
                 WHERE schedule_id = $1 AND sequence_id >= $2 AND sequence_id <= $3",
                &params![schedule, first, last, by, now],
            )
            .await?;
        Ok(())
    }

    /// Notes how a run of a task ended.
    pub async fn note_outcome(&mut self, id: TaskId, outcome: &str) -> Result<(), StoreError> {
        let now = self.now();
        let sql = "UPDATE tasks SET last_run_at = $2, last_outcome = $3 WHERE id = $1";
        self.db().exec(sql, &params![id, now, outcome]).await?;
        Ok(())
    }

    async fn task(&mut self, id: TaskId) -> Result<Task, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tasks WHERE id = $1");
        let row = self.db().one(&sql, &params![id]).await?;
        read(&mut Cells::new(row))
    }
}
