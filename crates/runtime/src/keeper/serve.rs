//! The keeper's loop: the terminal on one side, at most one panel on the other.
//!
//! The instance never waits for the panel longer than [`PATIENCE`]: a panel that keeps reading gets
//! every byte, one that does not loses the oldest.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use hatchery_sandbox::exit_code;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal as KernelSignal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid,
};

use super::Order;
use super::folder::{ExitRecord, RunFolder};
use super::panel::Panel;
use super::ring::{RING_BYTES, Ring};
use super::wire::{Frame, Hello, PROTOCOL};
use crate::{Exit, Signal};

/// How long the instance may be kept waiting for a panel that has stopped reading. It is long enough
/// for a busy machine, and waited only once: a panel is waited for again when it has read again.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long after the end of the last process its last words may take to come.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How much typed input may wait for the instance. What exceeds it is thrown away, as a terminal
/// does, so that a signal behind it is never held up.
const MAX_INPUT: usize = 64 * 1024;

const READ_SIZE: usize = 16 * 1024;

pub(super) struct Serving {
    order: Order,
    folder: RunFolder,
    listener: UnixListener,
    terminal: OwnedFd,
    pid: Pid,
    pidfd: OwnedFd,
    ring: Ring,
    input: VecDeque<u8>,
    panel: Option<Panel>,
    started: Instant,
    /// Whether a panel has ever called.
    called: bool,
    /// Since when nothing has come after the end of the last process.
    ended: Option<Instant>,
}

/// What can be done without waiting.
struct Ready {
    caller: bool,
    panel: bool,
    terminal: PollFlags,
    ended: bool,
}

impl Serving {
    pub(super) fn new(
        order: Order,
        folder: RunFolder,
        listener: UnixListener,
        terminal: OwnedFd,
        pid: Pid,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let mut ring = Ring::new(RING_BYTES);
        ring.push(order.banner.as_bytes());
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self {
            order,
            folder,
            listener,
            terminal,
            pid,
            pidfd,
            ring,
            input: VecDeque::new(),
            panel: None,
            started: Instant::now(),
            called: false,
            ended: None,
        })
    }

    /// Serves until the instance has ended, and writes down how.
    pub(super) fn run(mut self) {
        loop {
            let ready = match self.wait() {
                Ok(ready) => ready,
                Err(Errno::INTR) => continue,
                Err(_) => break,
            };
            if ready.caller {
                self.greet();
            }
            if ready.panel {
                self.talk();
            }
            if ready.terminal.contains(PollFlags::OUT) {
                self.type_input();
            }
            let heard = ready
                .terminal
                .intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR);
            let hung_up = heard && !self.listen();
            if ready.ended {
                self.ended = Some(Instant::now());
            }
            if self
                .ended
                .is_some_and(|since| hung_up || since.elapsed() > LAST_WORDS)
            {
                break;
            }
        }
        self.finish();
    }

    fn wait(&self) -> Result<Ready, Errno> {
        let held_for = self.held_for();
        let mut wanted = if held_for.is_none() {
            PollFlags::IN
        } else {
            PollFlags::empty()
        };
        if !self.input.is_empty() {
            wanted |= PollFlags::OUT;
        }
        let mut fds = vec![PollFd::new(&self.listener, PollFlags::IN)];
        // A descriptor that has hung up is always ready, so what is not wanted stays out.
        let terminal =
            (!wanted.is_empty()).then(|| push(&mut fds, PollFd::new(&self.terminal, wanted)));
        let ended = self
            .ended
            .is_none()
            .then(|| push(&mut fds, PollFd::new(&self.pidfd, PollFlags::IN)));
        let panel = self
            .panel
            .as_ref()
            .map(|panel| push(&mut fds, panel.poll_fd(&self.ring)));
        let timeout = held_for.or(self
            .ended
            .map(|since| LAST_WORDS.saturating_sub(since.elapsed())));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        poll(&mut fds, timeout.as_ref())?;
        let events =
            |index: Option<usize>| index.map_or(PollFlags::empty(), |index| fds[index].revents());
        Ok(Ready {
            caller: !fds[0].revents().is_empty(),
            panel: !events(panel).is_empty(),
            terminal: events(terminal),
            ended: !events(ended).is_empty(),
        })
    }

    /// For how long the terminal is left alone, so that a panel that keeps reading can catch up.
    /// The panel that has ordered the start is waited for as well, while it is about to call.
    fn held_for(&self) -> Option<Duration> {
        let (position, idle) = match &self.panel {
            Some(panel) => (panel.position().unwrap_or(self.ring.start()), panel.idle()),
            None if !self.called => (0, self.started.elapsed()),
            None => return None,
        };
        let unsent = self.ring.end().saturating_sub(position);
        let full = unsent + READ_SIZE as u64 > RING_BYTES as u64;
        let left = PATIENCE.checked_sub(idle)?;
        (full && !left.is_zero()).then_some(left)
    }

    /// Takes a panel's call. It replaces an earlier one, which is dead or about to be.
    fn greet(&mut self) {
        let Ok((stream, _)) = self.listener.accept() else {
            return;
        };
        self.called = true;
        let hello = Hello {
            protocol: PROTOCOL,
            server: self.order.server,
            job: self.order.job,
            started_at: self.order.started_at,
            pid: self.pid.as_raw_pid(),
        };
        let hello = serde_json::to_vec(&hello).map(Frame::Hello);
        self.panel = hello.ok().and_then(|hello| Panel::new(stream, &hello).ok());
    }

    fn talk(&mut self) {
        let Some(panel) = &mut self.panel else { return };
        let frames = panel.receive();
        let alive = frames.is_ok() && panel.send(&self.ring).is_ok();
        for frame in frames.into_iter().flatten() {
            match frame {
                Frame::Attach(position) => {
                    if let Some(panel) = &mut self.panel {
                        panel.attach(position.clamp(self.ring.start(), self.ring.end()));
                    }
                }
                Frame::Input(bytes) => {
                    let room = MAX_INPUT - self.input.len();
                    self.input.extend(bytes.into_iter().take(room));
                }
                Frame::Signal(signal) => self.signal(signal),
                Frame::Hello(_) | Frame::Output(..) | Frame::Unknown => {}
            }
        }
        if !alive {
            self.panel = None;
        }
    }

    fn signal(&self, signal: Signal) {
        let signal = match signal {
            Signal::Abort => KernelSignal::ABORT,
            Signal::Interrupt => KernelSignal::INT,
            // The end of a namespace's first process is the end of all of them.
            Signal::Kill => KernelSignal::KILL,
            Signal::Quit => KernelSignal::QUIT,
            Signal::Terminate => KernelSignal::TERM,
        };
        // An instance that has just ended needs no signal.
        let _ = pidfd_send_signal(&self.pidfd, signal);
    }

    fn type_input(&mut self) {
        let (front, _) = self.input.as_slices();
        if let Ok(written) = rustix::io::write(&self.terminal, front) {
            self.input.drain(..written);
        }
    }

    /// Reads the terminal; false when nobody holds its other end any more.
    fn listen(&mut self) -> bool {
        let mut buffer = [0; READ_SIZE];
        match rustix::io::read(&self.terminal, &mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                if let Some(panel) = &mut self.panel {
                    panel.expect_more(&self.ring);
                }
                self.ring.push(&buffer[..length]);
                self.ended = self.ended.map(|_| Instant::now());
                true
            }
            Err(error) => matches!(error, Errno::AGAIN | Errno::INTR),
        }
    }

    /// The connection closes after the record is written: its end tells the panel to look.
    fn finish(self) {
        let status = waitpid(Some(self.pid), WaitOptions::empty()).ok().flatten();
        let code = status.map_or(Exit::KILLED.code, |(_, status)| exit_code(status.as_raw()));
        let mut out_of_memory = false;
        if let Some(group) = &self.order.group {
            out_of_memory = code != 0 && group.oom_kills() > 0;
            group.kill_all();
            // Whoever starts the server next takes what is left.
            let _ = group.remove();
        }
        let exit = Exit {
            code,
            out_of_memory,
        };
        let (start, tail) = self.ring.read(0, RING_BYTES);
        let record = ExitRecord::new(exit, start, &tail);
        // A full disk may still have room for the bare fact. Where it has not even that, the panel
        // takes the instance for killed.
        let _ = (self.folder.write_exit(&record)).or_else(|_| {
            self.folder
                .write_exit(&ExitRecord::new(exit, self.ring.end(), &[]))
        });
    }
}

fn push<'a>(fds: &mut Vec<PollFd<'a>>, fd: PollFd<'a>) -> usize {
    fds.push(fd);
    fds.len() - 1
}
