//! One scripted instance, seen from the game's side.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use hatchery_vocab::{ServerUuid, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::{
    CONSOLE_DEPTH, Console, Exit, InstallSpec, InstanceSpec, Job, MAX_CHUNK, ResourceLimits,
    Signal, Usage,
};

/// How many chunks of output a detached instance keeps.
const HISTORY: usize = 64;

/// What was asked to start.
#[derive(Clone, Debug)]
pub enum Started {
    /// A game.
    Game(InstanceSpec),
    /// An installation.
    Install(InstallSpec),
}

impl Started {
    pub(super) fn server(&self) -> ServerUuid {
        match self {
            Self::Game(spec) => spec.server,
            Self::Install(spec) => spec.server,
        }
    }
}

/// A scripted instance. Clones are the same instance.
#[derive(Clone, Debug)]
pub struct FakeInstance(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    started: Started,
    started_at: Timestamp,
    terminal: Mutex<Terminal>,
    input: tokio::sync::Mutex<mpsc::Receiver<Bytes>>,
    input_sender: mpsc::Sender<Bytes>,
    signals: tokio::sync::Mutex<mpsc::Receiver<Signal>>,
    signal_sender: mpsc::Sender<Signal>,
}

#[derive(Debug)]
struct Terminal {
    output: Option<mpsc::Sender<Bytes>>,
    exit_sender: Option<oneshot::Sender<Exit>>,
    history: VecDeque<Bytes>,
    ended: Option<Exit>,
    ignores_kill: bool,
    usage: Usage,
    limits: ResourceLimits,
}

impl FakeInstance {
    pub(super) fn new(started: Started, started_at: Timestamp) -> Self {
        let (input_sender, input) = mpsc::channel(CONSOLE_DEPTH);
        let (signal_sender, signals) = mpsc::channel(CONSOLE_DEPTH);
        let limits = match &started {
            Started::Game(spec) => spec.limits.clone(),
            Started::Install(spec) => spec.limits.clone(),
        };
        let usage = Usage {
            memory_limit_bytes: limits.memory.bytes(),
            ..Usage::default()
        };
        Self(Arc::new(Shared {
            started,
            started_at,
            terminal: Mutex::new(Terminal {
                output: None,
                exit_sender: None,
                history: VecDeque::new(),
                ended: None,
                ignores_kill: false,
                usage,
                limits,
            }),
            input: tokio::sync::Mutex::new(input),
            input_sender,
            signals: tokio::sync::Mutex::new(signals),
            signal_sender,
        }))
    }

    /// Whose it is.
    pub fn server(&self) -> ServerUuid {
        self.0.started.server()
    }

    /// What was asked to start.
    pub fn started(&self) -> &Started {
        &self.0.started
    }

    /// The game's specification.
    ///
    /// # Panics
    /// When this is an installation.
    #[expect(clippy::panic, reason = "a test that mixes the two up must fail")]
    pub fn spec(&self) -> &InstanceSpec {
        match &self.0.started {
            Started::Game(spec) => spec,
            Started::Install(_) => panic!("an installation was started, not a game"),
        }
    }

    /// The installation's specification.
    ///
    /// # Panics
    /// When this is a game.
    #[expect(clippy::panic, reason = "a test that mixes the two up must fail")]
    pub fn install_spec(&self) -> &InstallSpec {
        match &self.0.started {
            Started::Install(spec) => spec,
            Started::Game(_) => panic!("a game was started, not an installation"),
        }
    }

    /// Whether it is a game or an installation.
    pub fn job(&self) -> Job {
        match self.0.started {
            Started::Game(_) => Job::Game,
            Started::Install(_) => Job::Install,
        }
    }

    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        self.0.terminal.lock().ended.is_none()
    }

    /// Prints raw bytes, in chunks as a real runtime would hand them over. Waits while the reader
    /// is slow; keeps the output where nobody is attached.
    pub async fn print_bytes(&self, bytes: &[u8]) {
        for chunk in bytes.chunks(MAX_CHUNK) {
            let chunk = Bytes::copy_from_slice(chunk);
            let output = {
                let mut terminal = self.0.terminal.lock();
                if terminal.history.len() == HISTORY {
                    terminal.history.pop_front();
                }
                terminal.history.push_back(chunk.clone());
                terminal.output.clone()
            };
            if let Some(output) = output {
                // A console that was dropped reads nothing more.
                let _ = output.send(chunk).await;
            }
        }
    }

    /// Prints a line, ended as a terminal ends it.
    pub async fn print(&self, line: &str) {
        self.print_bytes(format!("{line}\r\n").as_bytes()).await;
    }

    /// Waits for what is typed next; nothing once the instance's console is gone for good.
    pub async fn next_input(&self) -> Option<Bytes> {
        self.0.input.lock().await.recv().await
    }

    /// Waits for the next signal. [`Signal::Kill`] is reported too.
    pub async fn next_signal(&self) -> Option<Signal> {
        self.0.signals.lock().await.recv().await
    }

    /// Ends the instance. The console's output ends first, then its exit is told.
    pub fn exit(&self, exit: Exit) {
        let mut terminal = self.0.terminal.lock();
        if terminal.ended.is_some() {
            return;
        }
        terminal.ended = Some(exit);
        terminal.output = None;
        if let Some(sender) = terminal.exit_sender.take() {
            // The console may be gone.
            let _ = sender.send(exit);
        }
    }

    /// Ends the instance with an exit code.
    pub fn exit_with(&self, code: i32) {
        self.exit(Exit {
            code,
            out_of_memory: false,
        });
    }

    /// What [`crate::Runtime::usage`] says from now on.
    pub fn set_usage(&self, usage: Usage) {
        self.0.terminal.lock().usage = usage;
    }

    /// Lets [`Signal::Kill`] be reported without ending the instance.
    pub fn ignore_kill(&self) {
        self.0.terminal.lock().ignores_kill = true;
    }

    /// The bounds now in force.
    pub fn limits(&self) -> ResourceLimits {
        self.0.terminal.lock().limits.clone()
    }

    pub(super) fn usage(&self) -> Usage {
        self.0.terminal.lock().usage
    }

    pub(super) fn set_limits(&self, limits: ResourceLimits) {
        let mut terminal = self.0.terminal.lock();
        terminal.usage.memory_limit_bytes = limits.memory.bytes();
        terminal.limits = limits;
    }

    pub(super) fn deliver(&self, signal: Signal) {
        // A test that never looks at signals may let the queue fill up.
        let _ = self.0.signal_sender.try_send(signal);
        if signal == Signal::Kill && !self.0.terminal.lock().ignores_kill {
            self.exit(Exit::KILLED);
        }
    }

    pub(super) fn is_detached(&self) -> bool {
        self.0.terminal.lock().exit_sender.is_none()
    }

    pub(super) fn detach(&self) {
        let mut terminal = self.0.terminal.lock();
        terminal.output = None;
        terminal.exit_sender = None;
    }

    /// A console on this instance; what was printed so far comes first.
    pub(super) fn attach(&self) -> Console {
        let mut terminal = self.0.terminal.lock();
        let (output_sender, output) = mpsc::channel(CONSOLE_DEPTH.max(HISTORY));
        let (exit_sender, exit) = oneshot::channel();
        for chunk in &terminal.history {
            // The channel holds the whole history.
            let _ = output_sender.try_send(chunk.clone());
        }
        if let Some(ended) = terminal.ended {
            let _ = exit_sender.send(ended);
        } else {
            terminal.output = Some(output_sender);
            terminal.exit_sender = Some(exit_sender);
        }
        Console {
            input: self.0.input_sender.clone(),
            output,
            exit,
            started_at: self.0.started_at,
        }
    }
}
