//! Runs schedules when they are due: sleeps until the next one is, or a commit changes that.

use std::time::Duration;

use hatchery_app::Cx;
use hatchery_app::schedules::{Slots, carry_out, take_due};
use hatchery_store::StoreError;
use hatchery_vocab::Timestamp;

/// How long to sleep at most: another process may have changed a schedule, and clocks are put right.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// Runs what is due until the program ends. Jobs that have begun go on by themselves, so that a
/// failure here does not cut them short.
pub(crate) async fn run(cx: Cx) -> Result<(), StoreError> {
    let mut commits = cx.store().schedule_commits();
    let slots = Slots::default();
    loop {
        commits.borrow_and_update();
        for job in take_due(&cx, &slots).await? {
            let cx = cx.clone();
            tokio::spawn(async move {
                if let Err(error) = carry_out(&cx, job).await {
                    tracing::error!(%error, "the end of a schedule's task was not written down");
                }
            });
        }
        let due = cx.store().schedules_wake_at(cx.now()).await?;
        tokio::select! {
            changed = commits.changed() => if changed.is_err() {
                return Ok(());
            },
            () = slots.freed() => {}
            () = tokio::time::sleep(until(cx.now(), due)) => {}
        }
    }
}

fn until(now: Timestamp, due: Option<Timestamp>) -> Duration {
    due.map_or(LONGEST_SLEEP, |due| due.since(now).min(LONGEST_SLEEP))
}
