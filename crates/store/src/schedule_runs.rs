//! Runs of schedules that have not ended: which task is next, when, and who carries it out.
//!
//! A run belongs to nobody while its task is not due. Whoever wants to carry the task out takes the
//! run for a while, by a number made up for that one time; of several who try, one succeeds. When
//! they do not come back in time, somebody else takes it and knows that the task was cut short.

use hatchery_vocab::{NodeId, ScheduleId, ServerId, TaskId, Timestamp};
use uuid::Uuid;

use crate::schedules::not_among;
use crate::sql::{Param, cell, params, read_all};
use crate::{DueSchedule, Store, StoreError, Tx};

/// A run that somebody may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueRun {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// Whose it is.
    pub server_id: ServerId,
    /// Where the server is.
    pub node_id: NodeId,
    /// The task that is due.
    pub task_id: TaskId,
    /// Whether a person started it.
    pub is_manual: bool,
    /// Who began the task and did not come back.
    pub lost_by: Option<Uuid>,
    due_at: Timestamp,
}

/// Proof of having taken a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunHold {
    schedule: ScheduleId,
    holder: Uuid,
}

impl Store {
    /// Runs whose task is due, or whose holder is lost, the longest overdue first. Servers of the
    /// nodes `except` are left out.
    pub async fn due_runs(
        &self,
        now: Timestamp,
        except: &[NodeId],
        limit: u64,
    ) -> Result<Vec<DueRun>, StoreError> {
        let (values, others) = not_among(vec![now.value(), limit.value()], except);
        let sql = format!(
            "SELECT r.schedule_id, s.server_id, v.node_id, r.task_id, r.is_manual, r.holder, r.due_at
             FROM schedule_runs r JOIN schedules s ON s.id = r.schedule_id
             JOIN servers v ON v.id = s.server_id
             WHERE r.due_at <= $1 {others} ORDER BY r.due_at, r.schedule_id LIMIT $2"
        );
        read_all(self.db().scan(&sql, values).await?, |cells| {
            Ok(DueRun {
                schedule_id: cells.take()?,
                server_id: cells.take()?,
                node_id: cells.take()?,
                task_id: cells.take()?,
                is_manual: cells.take()?,
                lost_by: cells.take()?,
                due_at: cells.take()?,
            })
        })
    }

    /// When the next schedule or task is due that is not due yet.
    pub async fn schedules_wake_at(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let schedules =
            "SELECT MIN(next_run_at) FROM schedules WHERE is_active AND next_run_at > $1";
        let runs = "SELECT MIN(due_at) FROM schedule_runs WHERE due_at > $1";
        let mut earliest: Option<Timestamp> = None;
        for sql in [schedules, runs] {
            let found: Option<Timestamp> = cell(self.db().one(sql, &params![now]).await?)?;
            earliest = [earliest, found].into_iter().flatten().min();
        }
        Ok(earliest)
    }
}

impl Tx {
    /// Begins the run of a schedule that is due, and takes it until `until`. Nothing when somebody
    /// else did, or it is not due any more; the transaction is then to be dropped.
    pub async fn begin_due_run(
        &mut self,
        due: &DueSchedule,
        next_run_at: Option<Timestamp>,
        first: TaskId,
        until: Timestamp,
    ) -> Result<Option<RunHold>, StoreError> {
        let now = self.now();
        let rows = self
            .db()
            .exec(
                "UPDATE schedules SET is_processing = TRUE, next_run_at = $3, updated_at = $4
                 WHERE id = $1 AND next_run_at = $2 AND is_active",
                &params![due.id, due.due, next_run_at, now],
            )
            .await?;
        let sql = "INSERT INTO schedule_runs (schedule_id, task_id, is_manual, due_at, holder)
             VALUES ($1, $2, FALSE, $3, $4) ON CONFLICT (schedule_id) DO NOTHING";
        if rows == 0 {
            return Ok(None);
        }
        self.hold_new(sql, due.id, first, until).await
    }

    /// Begins a run that a person asks for, in place of one that has not ended, and takes it until
    /// `until`.
    pub async fn begin_manual_run(
        &mut self,
        schedule: ScheduleId,
        next_run_at: Option<Timestamp>,
        first: TaskId,
        until: Timestamp,
    ) -> Result<Option<RunHold>, StoreError> {
        let now = self.now();
        let rows = self
            .db()
            .exec(
                "UPDATE schedules SET is_processing = TRUE, next_run_at = COALESCE($2, next_run_at),
                    updated_at = $3 WHERE id = $1",
                &params![schedule, next_run_at, now],
            )
            .await?;
        if rows == 0 {
            return Ok(None);
        }
        let sql = "INSERT INTO schedule_runs (schedule_id, task_id, is_manual, due_at, holder)
             VALUES ($1, $2, TRUE, $3, $4) ON CONFLICT (schedule_id)
             DO UPDATE SET task_id = $2, is_manual = TRUE, due_at = $3, holder = $4";
        self.hold_new(sql, schedule, first, until).await
    }

    async fn hold_new(
        &mut self,
        insert: &str,
        schedule: ScheduleId,
        first: TaskId,
        until: Timestamp,
    ) -> Result<Option<RunHold>, StoreError> {
        let holder = self.entropy().uuid();
        let values = params![schedule, first, until, holder];
        if self.db().exec(insert, &values).await? == 0 {
            return Ok(None);
        }
        self.queue_task(schedule, Some(first)).await?;
        Ok(Some(RunHold { schedule, holder }))
    }

    /// Takes a run until `until`; nothing when somebody else was faster.
    pub async fn take_run(
        &mut self,
        run: &DueRun,
        until: Timestamp,
    ) -> Result<Option<RunHold>, StoreError> {
        let holder = self.entropy().uuid();
        let rows = self
            .db()
            .exec(
                "UPDATE schedule_runs SET due_at = $4, holder = $5
                 WHERE schedule_id = $1 AND due_at = $2 AND holder IS NOT DISTINCT FROM $3",
                &params![run.schedule_id, run.due_at, run.lost_by, until, holder],
            )
            .await?;
        let schedule = run.schedule_id;
        Ok((rows > 0).then_some(RunHold { schedule, holder }))
    }

    /// Gives a run back with the next task and when it is due. Does nothing when the run was given
    /// up for lost meanwhile.
    pub async fn hand_on_run(
        &mut self,
        hold: &RunHold,
        next: TaskId,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = self
            .db()
            .exec(
                "UPDATE schedule_runs SET task_id = $3, due_at = $4, holder = NULL
                 WHERE schedule_id = $1 AND holder = $2",
                &params![hold.schedule, hold.holder, next, due_at],
            )
            .await?;
        if rows > 0 {
            self.queue_task(hold.schedule, Some(next)).await?;
            self.wakes_schedules();
        }
        Ok(())
    }

    /// Ends a run, unless it was given up for lost meanwhile.
    pub async fn end_run(&mut self, hold: &RunHold) -> Result<(), StoreError> {
        let sql = "DELETE FROM schedule_runs WHERE schedule_id = $1 AND holder = $2";
        let values = params![hold.schedule, hold.holder];
        if self.db().exec(sql, &values).await? == 0 {
            return Ok(());
        }
        self.queue_task(hold.schedule, None).await?;
        let now = self.now();
        self.db()
            .exec(
                "UPDATE schedules SET is_processing = FALSE, last_run_at = $2, updated_at = $2
                 WHERE id = $1",
                &params![hold.schedule, now],
            )
            .await?;
        // It may have become due again while it ran.
        self.wakes_schedules();
        Ok(())
    }

    /// Marks one task of a schedule, or none, as the next one.
    async fn queue_task(
        &mut self,
        schedule: ScheduleId,
        next: Option<TaskId>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        // Row ids begin at 1.
        let next = next.unwrap_or(TaskId::new(0));
        self.db()
            .exec(
                "UPDATE tasks SET is_queued = (id = $2), updated_at = $3
                 WHERE schedule_id = $1 AND is_queued <> (id = $2)",
                &params![schedule, next, now],
            )
            .await?;
        Ok(())
    }
}
