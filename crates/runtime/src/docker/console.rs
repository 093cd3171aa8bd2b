//! A container's terminal as a [`Console`](crate::Console), from its attachment to word of its end.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::containers::Shared;
use super::engine::Terminal;
use crate::keeper::{RING_BYTES, Ring};
use crate::{Exit, MAX_CHUNK};

/// How long a container that was cut off from its terminal may still be ending. Beyond that it is
/// the connection that broke, as when the engine restarts.
const ENDING: Duration = Duration::from_secs(3);

/// How often we try to reach a container again whose terminal broke off, and how long we wait in
/// between. Together that is longer than an engine's restart takes.
const RECONNECTS: u32 = 30;
const RECONNECT_PAUSE: Duration = Duration::from_secs(2);

/// Our end of a console's channels.
pub(super) struct Ends {
    pub(super) input: mpsc::Receiver<Bytes>,
    pub(super) output: mpsc::Sender<Bytes>,
    pub(super) exit: oneshot::Sender<Exit>,
}

/// Carries bytes between the terminal and the console until the container has ended, then takes the
/// container away. `history` is shown first.
pub(super) async fn run(
    shared: Arc<Shared>,
    container: String,
    terminal: Option<Terminal>,
    history: Vec<u8>,
    ends: Ends,
) {
    let mut pump = Pump {
        input: ends.input,
        output: ends.output,
        ring: Ring::new(RING_BYTES),
        shown: 0,
    };
    pump.ring.push(&history);
    let mut terminal = terminal;
    let mut failures = 0;
    let exit = loop {
        if let Some(terminal) = terminal.take() {
            pump.carry(terminal).await;
        }
        if let Ok(Ok(exit)) = tokio::time::timeout(ENDING, shared.exit_of(&container)).await {
            break exit;
        }
        match shared.attach_if_running(&container).await {
            // Where it does not run, its end is only slow in coming.
            Ok(again) => {
                terminal = again;
                failures = 0;
            }
            // It was taken away: by `destroy`, or by an administrator.
            Err(error) if error.is_not_found() => break Exit::KILLED,
            Err(error) if failures < RECONNECTS => {
                tracing::warn!(container, %error, "a container's terminal broke off");
                failures += 1;
                tokio::time::sleep(RECONNECT_PAUSE).await;
            }
            Err(error) => {
                tracing::error!(container, %error, "a container is lost");
                break Exit::KILLED;
            }
        }
    };
    pump.drain().await;
    if let Err(error) = shared.remove(&container).await {
        tracing::warn!(container, %error, "an ended container could not be removed");
    }
    shared.forget(&container);
    // The console may be gone; then nobody waits for the exit either.
    drop(pump);
    let _ = ends.exit.send(exit);
}

/// Moves bytes both ways. What the console does not take in time waits in a ring, where the newest
/// bytes win: neither does memory grow nor does the game wait.
struct Pump {
    input: mpsc::Receiver<Bytes>,
    output: mpsc::Sender<Bytes>,
    ring: Ring,
    /// How many bytes the console has had.
    shown: u64,
}

impl Pump {
    /// Until the terminal ends.
    async fn carry(&mut self, terminal: Terminal) {
        let (mut reader, mut writer): (ReadHalf<_>, WriteHalf<_>) = tokio::io::split(terminal);
        let mut chunk = vec![0; MAX_CHUNK];
        let mut typed = Bytes::new();
        let (mut typing, mut showing) = (true, true);
        loop {
            let behind = showing && self.shown < self.ring.end();
            tokio::select! {
                // The console first: only what it does not take may be lost. Reading last: a game
                // that prints without pause must still hear what is typed.
                biased;
                slot = self.output.reserve(), if behind => match slot {
                    Ok(slot) => {
                        let next = next(&self.ring, &mut self.shown);
                        slot.send(next);
                    }
                    Err(_) => showing = false,
                },
                // A game that does not read its input holds up further input, and nothing else.
                bytes = self.input.recv(), if typing && typed.is_empty() => match bytes {
                    Some(bytes) => typed = bytes,
                    None => typing = false,
                },
                written = writer.write(&typed), if !typed.is_empty() => match written {
                    Ok(count) if count > 0 => typed.advance(count),
                    _ => typed.clear(),
                },
                read = reader.read(&mut chunk) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(count) => self.ring.push(&chunk[..count]),
                },
            }
        }
    }

    /// Hands over what is left.
    async fn drain(&mut self) {
        while self.shown < self.ring.end() {
            let next = next(&self.ring, &mut self.shown);
            if self.output.send(next).await.is_err() {
                return;
            }
        }
    }
}

/// The next chunk for the console; where bytes were lost, a line that counts them.
fn next(ring: &Ring, shown: &mut u64) -> Bytes {
    let (from, bytes) = ring.read(*shown, MAX_CHUNK);
    if from > *shown {
        let lost = from - *shown;
        *shown = from;
        return format!(
            "\r\n[{lost} bytes of output were skipped: the console did not keep up]\r\n"
        )
        .into();
    }
    *shown += bytes.len() as u64;
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_output_is_counted() {
        let mut ring = Ring::new(4);
        let mut shown = 0;
        ring.push(b"ab");
        assert_eq!(next(&ring, &mut shown), "ab");
        ring.push(b"cdefgh");
        let notice = next(&ring, &mut shown);
        assert!(notice.starts_with(b"\r\n[2 bytes"), "{notice:?}");
        assert_eq!(next(&ring, &mut shown), "efgh");
        assert_eq!(shown, ring.end());
    }
}
