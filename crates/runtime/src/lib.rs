//! Runs game servers: one trait, with a process and a container behind it.
//!
//! The trait speaks of *instances*: whatever holds one server's process. It knows nothing of
//! panels, states or permissions; the node's state machine decides what to call when.

pub mod docker;
pub mod fake;
pub mod keeper;
pub mod process;
mod spec;

use std::net::IpAddr;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use hatchery_vocab::{ServerUuid, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

pub use spec::{BindMount, InstallSpec, InstanceSpec, PortBinding, ResourceLimits};

/// How many chunks of output or input may wait for their reader. A chunk is at most
/// [`MAX_CHUNK`] bytes, so a console never holds more than a few megabytes.
pub const CONSOLE_DEPTH: usize = 64;

/// The longest chunk that a console hands over at once, in bytes.
pub const MAX_CHUNK: usize = 32 * 1024;

/// A signal that a stop configuration can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// `SIGABRT`
    Abort,
    /// `SIGINT`, what `^C` means.
    Interrupt,
    /// `SIGKILL`: cannot be ignored.
    Kill,
    /// `SIGQUIT`
    Quit,
    /// `SIGTERM`
    Terminate,
}

/// How an instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The exit code; 128 plus the signal's number when a signal ended the process.
    pub code: i32,
    /// Whether the kernel ended it for using too much memory.
    pub out_of_memory: bool,
}

impl Exit {
    /// Ended by [`Signal::Kill`].
    pub const KILLED: Self = Self {
        code: 128 + 9,
        out_of_memory: false,
    };
}

/// What an instance is for. A server has one instance at a time, whatever its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Job {
    /// It runs the game.
    Game,
    /// It runs an installation script.
    Install,
}

/// What an instance uses at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Bytes in use, without the page cache that the kernel would give back.
    pub memory_bytes: u64,
    /// The limit in bytes; zero when there is none.
    pub memory_limit_bytes: u64,
    /// Processor time since the start of the instance, in nanoseconds, over all cores. The node
    /// turns the difference of two samples into a percentage.
    pub cpu_nanos: u64,
    /// Bytes received since the start; zero where the runtime cannot tell.
    pub network_rx_bytes: u64,
    /// Bytes sent since the start; zero where the runtime cannot tell.
    pub network_tx_bytes: u64,
}

/// The two ends of a running instance's terminal, and word of its end. All channels are bounded.
#[derive(Debug)]
pub struct Console {
    /// Bytes for the instance's standard input. A line needs its own `\n`.
    pub input: mpsc::Sender<Bytes>,
    /// What the instance printed: raw bytes, cut anywhere, at most [`MAX_CHUNK`] each. It ends
    /// after the last byte; the exit follows on `exit`. A reader that falls far behind loses the
    /// oldest bytes and finds a line that counts them: neither memory grows nor does the instance
    /// wait for its reader.
    pub output: mpsc::Receiver<Bytes>,
    /// Says once how the instance ended, after `output` has ended.
    pub exit: tokio::sync::oneshot::Receiver<Exit>,
    /// When the instance was started.
    pub started_at: Timestamp,
}

/// An instance that was started before this program, still running or ended in between.
#[derive(Debug)]
pub struct Found {
    /// Whose it is.
    pub server: ServerUuid,
    /// What it is for.
    pub job: Job,
    /// Its terminal. Recent output comes first, so that history is not lost with the panel. Where
    /// the instance has ended, `output` ends after it and `exit` says how.
    pub console: Console,
}

/// Why a runtime could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// There is no such instance.
    #[error("the server has no running instance")]
    NotFound,
    /// There is one already.
    #[error("the server has a running instance already")]
    AlreadyRunning,
    /// The machine or its configuration cannot do it; the text says what to mend.
    #[error("{0}")]
    Unsupported(String),
    /// The image could not be had.
    #[error("the image {image} could not be pulled: {reason}")]
    Image {
        /// The image asked for.
        image: String,
        /// What the engine said.
        reason: String,
    },
    /// Anything else; the text says what was being done.
    #[error("{action}: {reason}")]
    Failed {
        /// What was being done, such as `creating the container`.
        action: &'static str,
        /// What went wrong.
        reason: String,
    },
}

impl RuntimeError {
    /// Something failed for a reason that has words.
    pub(crate) fn failed(action: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Failed {
            action,
            reason: reason.to_string(),
        }
    }
}

/// Runs instances. Implementations are cheap to call and do no more than they are told: they keep
/// no desired state and restart nothing by themselves.
pub trait Runtime: Send + Sync + std::fmt::Debug {
    /// The word for logs and `doctor`: `process`, `docker` or `fake`.
    fn name(&self) -> &'static str;

    /// Makes ready what can take long (pulls the image) without starting anything. Progress comes
    /// as lines of text.
    fn prepare<'a>(
        &'a self,
        spec: &'a InstanceSpec,
        progress: mpsc::Sender<String>,
    ) -> BoxFuture<'a, Result<(), RuntimeError>>;

    /// Starts an instance. Its terminal is attached before its first byte.
    fn start<'a>(&'a self, spec: &'a InstanceSpec) -> BoxFuture<'a, Result<Console, RuntimeError>>;

    /// Sends a signal to every process of the instance's process group; [`Signal::Kill`] always
    /// ends all of the instance's processes.
    fn signal(&self, server: ServerUuid, signal: Signal)
    -> BoxFuture<'_, Result<(), RuntimeError>>;

    /// What the instance uses at the moment.
    fn usage(&self, server: ServerUuid) -> BoxFuture<'_, Result<Usage, RuntimeError>>;

    /// Applies new limits to a running instance.
    fn update_limits<'a>(
        &'a self,
        server: ServerUuid,
        limits: &'a ResourceLimits,
    ) -> BoxFuture<'a, Result<(), RuntimeError>>;

    /// Runs an installation in the same confinement as a game. It ends by itself or by
    /// [`Runtime::abort_install`]; its output comes over the returned console.
    fn install<'a>(&'a self, spec: &'a InstallSpec)
    -> BoxFuture<'a, Result<Console, RuntimeError>>;

    /// Ends a running installation and everything that it started.
    fn abort_install(&self, server: ServerUuid) -> BoxFuture<'_, Result<(), RuntimeError>>;

    /// Ends the instance and forgets all that the runtime keeps about the server, its files apart.
    fn destroy(&self, server: ServerUuid) -> BoxFuture<'_, Result<(), RuntimeError>>;

    /// Finds the instances that survived a restart of this program, and those that ended while it
    /// was away; each is found once.
    fn reattach(&self) -> BoxFuture<'_, Result<Vec<Found>, RuntimeError>>;

    /// The address by which a server reaches this machine, put where configuration files say
    /// `{{config.docker.interface}}`.
    fn host_address(&self) -> IpAddr;
}
