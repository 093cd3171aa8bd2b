//! Carrying out one task, and what follows from how it ended (client-api.md §8.4).

use std::sync::Arc;
use std::time::Duration;

use hatchery_node_proto::NodeError;
use hatchery_store::{RunHold, Schedule, ServerSnapshot, StoreError, Task, Tx};
use hatchery_vocab::{PowerState, TaskAction};

use crate::{Cx, backups, node_call};

/// Why a task failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// No backup was begun.
    #[error(transparent)]
    Backup(backups::CreateError),
    /// The server is suspended, being installed or restored.
    #[error("the server's state does not allow it")]
    State,
    /// The panel ended while it carried the task out.
    #[error("the panel ended in the middle of it")]
    CutShort,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TaskError {
    /// Whether `continue_on_failure` makes the run go on.
    const fn may_be_ignored(&self) -> bool {
        matches!(self, Self::Node(_) | Self::CutShort)
    }
}

/// A task that was taken.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    pub(super) hold: &'a RunHold,
    pub(super) server: &'a Arc<ServerSnapshot>,
    pub(super) schedule: &'a Schedule,
    pub(super) task: &'a Task,
}

impl Taken<'_> {
    /// Carries the task out, notes how that ended, and gives the run back with the next task, or
    /// ends it. The inner error is one that ended the run.
    pub(super) async fn carry_out(&self, cx: &Cx) -> Result<Result<(), TaskError>, StoreError> {
        let done = if self.server.status.is_some() {
            Err(TaskError::State)
        } else {
            perform(cx, self.server, self.task).await
        };
        self.settle(cx, done).await
    }

    /// Notes how the task ended and goes on from there.
    pub(super) async fn settle(
        &self,
        cx: &Cx,
        done: Result<(), TaskError>,
    ) -> Result<Result<(), TaskError>, StoreError> {
        self.log(&done);
        let outcome = match &done {
            Ok(()) => "done".to_owned(),
            Err(error) => format!("failed: {error}"),
        };
        let mut tx = cx.store().begin().await?;
        tx.note_outcome(self.task.id, &outcome).await?;
        let goes_on = match &done {
            Ok(()) => true,
            Err(error) => self.task.continue_on_failure && error.may_be_ignored(),
        };
        if goes_on {
            self.hand_on(cx, &mut tx).await?;
        } else {
            tx.end_run(self.hold).await?;
        }
        tx.commit().await?;
        Ok(if goes_on { Ok(()) } else { done })
    }

    async fn hand_on(&self, cx: &Cx, tx: &mut Tx) -> Result<(), StoreError> {
        // Read again: tasks may have been added and moved meanwhile.
        let tasks = tx.tasks_of(self.schedule.id).await?;
        let place = tasks
            .iter()
            .find(|task| task.id == self.task.id)
            .map_or(self.task.sequence_id, |task| task.sequence_id);
        match tasks.iter().find(|task| task.sequence_id > place) {
            Some(next) => {
                let due_at = cx.now().plus(offset(next));
                tx.hand_on_run(self.hold, next.id, due_at).await
            }
            None => tx.end_run(self.hold).await,
        }
    }

    fn log(&self, done: &Result<(), TaskError>) {
        let (server, schedule, task) = (self.server.uuid, self.schedule.id, self.task.id);
        let action = self.task.action;
        match done {
            Ok(()) => {
                tracing::info!(%server, %schedule, %task, %action, "a task of a schedule ran");
            }
            Err(error) => {
                tracing::warn!(%server, %schedule, %task, %action, %error, "a task of a schedule failed");
            }
        }
    }
}

/// How long after the task before it a task runs.
pub(super) fn offset(task: &Task) -> Duration {
    Duration::from_secs(task.time_offset.into())
}

/// Whether the server runs, as far as its node tells. One that cannot be asked does not.
pub(super) async fn is_online(cx: &Cx, server: &ServerSnapshot) -> bool {
    let Ok(node) = node_call::client(cx, &server.node) else {
        return false;
    };
    match node.details(server.uuid).await {
        Ok(details) => !matches!(details.state, PowerState::Offline | PowerState::Stopping),
        Err(error) => {
            tracing::debug!(server = %server.uuid, %error, "a node did not tell whether a server runs");
            false
        }
    }
}

async fn perform(cx: &Cx, server: &Arc<ServerSnapshot>, task: &Task) -> Result<(), TaskError> {
    let node = node_call::client(cx, &server.node)?;
    match task.action {
        TaskAction::Command => {
            let commands = vec![task.payload.clone()];
            Ok(node.commands(server.uuid, commands).await?)
        }
        // The payload was never checked (client-api.md §3.7.7): that is for the node to do.
        TaskAction::Power => Ok(node.power_named(server.uuid, &task.payload).await?),
        TaskAction::Backup => {
            let begun = backups::create_for_schedule(cx, server, &task.payload).await;
            begun.map(drop).map_err(|error| match error {
                backups::CreateError::Node(error) => TaskError::Node(error),
                error => TaskError::Backup(error),
            })
        }
    }
}
