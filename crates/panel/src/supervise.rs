//! Background work that must go on: a task that panics or fails is logged and started again, later
//! each time.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long the first wait before a restart is.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How long the longest wait is.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// A task that ran this long begins with the first wait again.
const HEALTHY: Duration = Duration::from_mins(5);

/// Says that the program is about to end. Clones wait for the same word.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// The word, and the one who gives it.
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Waits for the word. It counts as given when nobody can give it any more.
    pub(crate) async fn wait(&self) {
        let _ = self.0.clone().wait_for(|given| *given).await;
    }
}

/// Looks after tasks until the program ends.
#[derive(Debug)]
pub(crate) struct Supervisor {
    shutdown: Shutdown,
    keepers: JoinSet<()>,
}

impl Supervisor {
    /// One without tasks.
    pub(crate) fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            keepers: JoinSet::new(),
        }
    }

    /// Runs what `work` makes until it ends well or the program does. An error or a panic is
    /// logged, and after a wait `work` is asked for a new run.
    pub(crate) fn keep<F, E>(
        &mut self,
        name: &'static str,
        mut work: impl FnMut() -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        self.keepers.spawn(async move {
            let mut wait = FIRST_WAIT;
            loop {
                let started = Instant::now();
                // A task of its own, so that a panic ends it and nothing else.
                let mut run = tokio::spawn(work());
                let ended = tokio::select! {
                    ended = &mut run => ended,
                    () = shutdown.wait() => {
                        run.abort();
                        return;
                    }
                };
                match ended {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => {
                        tracing::error!(task = name, %error, "background task failed");
                    }
                    Err(error) => tracing::error!(task = name, %error, "background task crashed"),
                }
                if started.elapsed() >= HEALTHY {
                    wait = FIRST_WAIT;
                }
                tracing::info!(
                    task = name,
                    seconds = wait.as_secs(),
                    "background task starts again soon"
                );
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = shutdown.wait() => return,
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        });
    }

    /// Waits until every task has ended, which they do once the word to shut down is given.
    pub(crate) async fn join(mut self) {
        while self.keepers.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_or_fails_is_started_again_until_it_ends_well() {
        let (_giver, shutdown) = Shutdown::new();
        let mut supervisor = Supervisor::new(shutdown);
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let begun = Instant::now();
        supervisor.keep("test", move || {
            let run = counted.fetch_add(1, Ordering::AcqRel);
            async move {
                match run {
                    0 => panic!("on purpose"),
                    1 => Err("on purpose"),
                    _ => Ok(()),
                }
            }
        });
        supervisor.join().await;
        assert_eq!(runs.load(Ordering::Acquire), 3);
        // The paused clock moves only by the waits: one second, then two.
        assert_eq!(begun.elapsed().as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn the_word_to_shut_down_ends_tasks_and_waits() {
        let (giver, shutdown) = Shutdown::new();
        let mut supervisor = Supervisor::new(shutdown);
        supervisor.keep("endless", std::future::pending::<Result<(), &str>>);
        supervisor.keep("broken", || async { Err("always") });
        giver.send(true).unwrap();
        supervisor.join().await;
    }
}
