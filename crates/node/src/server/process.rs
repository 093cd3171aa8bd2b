//! A running instance as its server's task holds it.

use std::time::Duration;

use bytes::Bytes;
use hatchery_runtime::{Console, Exit, MAX_CHUNK, Usage};
use hatchery_vocab::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::ServerError;

/// A running instance.
#[derive(Debug)]
pub(super) struct Process {
    input: mpsc::Sender<Bytes>,
    output: Option<mpsc::Receiver<Bytes>>,
    exit: oneshot::Receiver<Exit>,
    pub(super) started_at: Timestamp,
    last: Option<(Instant, u64)>,
    sampler: AbortHandle,
}

/// What a process did next.
#[derive(Debug)]
pub(super) enum Word {
    Printed(Bytes),
    Ended(Exit),
}

impl Process {
    /// Takes over a terminal. `sampler` ends with the process.
    pub(super) fn new(console: Console, sampler: AbortHandle) -> Self {
        let Console {
            input,
            output,
            exit,
            started_at,
        } = console;
        Self {
            input,
            output: Some(output),
            exit,
            started_at,
            last: None,
            sampler,
        }
    }

    /// Waits for what the process does next. Nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Word {
        if let Some(output) = &mut self.output {
            if let Some(bytes) = output.recv().await {
                return Word::Printed(bytes);
            }
            self.output = None;
        }
        // A runtime that says nothing has lost the process.
        Word::Ended((&mut self.exit).await.unwrap_or(Exit::KILLED))
    }

    /// Types a line. It never waits: a process that does not read must not hold up its server.
    pub(super) fn type_line(&self, line: &str) -> Result<(), ServerError> {
        let bytes = Bytes::from(format!("{line}\n"));
        for start in (0..bytes.len()).step_by(MAX_CHUNK) {
            let chunk = bytes.slice(start..bytes.len().min(start + MAX_CHUNK));
            self.input.try_send(chunk).map_err(|_| ServerError::Deaf)?;
        }
        Ok(())
    }

    /// Percent of one core since the last sample, to three decimals.
    pub(super) fn cpu(&mut self, usage: &Usage, now: Instant) -> f64 {
        let last = self.last.replace((now, usage.cpu_nanos));
        let Some((then, nanos)) = last else {
            return 0.0;
        };
        percent(
            usage.cpu_nanos.saturating_sub(nanos),
            now.duration_since(then),
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.sampler.abort();
    }
}

fn percent(nanos: u64, elapsed: Duration) -> f64 {
    let elapsed = elapsed.as_nanos() as f64;
    if elapsed > 0.0 {
        (nanos as f64 / elapsed * 100_000.0).round() / 1000.0
    } else {
        0.0
    }
}

/// Waits for what the process does next, for ever where there is none.
pub(super) async fn next(process: &mut Option<Process>) -> Word {
    match process {
        Some(process) => process.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_has_three_decimals() {
        let second = Duration::from_secs(1);
        assert_eq!(
            percent(1_000_000_000, second).to_bits(),
            100.0_f64.to_bits()
        );
        assert_eq!(percent(123_456_789, second).to_bits(), 12.346_f64.to_bits());
        assert_eq!(percent(1, Duration::ZERO).to_bits(), 0.0_f64.to_bits());
    }
}
