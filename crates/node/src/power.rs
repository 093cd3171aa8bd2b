//! The state machine of one server: a pure function from a state and an input to the next state
//! and what is to be done.
//!
//! It knows no clock, process or panel. Every state that waits for something has a limit
//! ([`State::limit`]); the server's task sends [`Input::TimedOut`] when it has stayed that long.

mod step;

use std::time::Duration;

use hatchery_runtime::{Exit, Signal};
use hatchery_vocab::{PowerSignal, PowerState, Timestamp};

pub(crate) use step::step;

/// How long the steps before a start may take: settings, disk check, file edits, permissions.
pub(crate) const PREPARE_LIMIT: Duration = Duration::from_mins(10);
/// How long a start may take, the pull of an image (15 minutes) included.
pub(crate) const LAUNCH_LIMIT: Duration = Duration::from_secs(15 * 60 + 30);
/// After this a server counts as running although its ready line never appeared: generic eggs name
/// a text that people forget to change (eggs.md §4.2).
pub(crate) const READY_GRACE: Duration = Duration::from_mins(5);
/// How long a person's stop or restart waits before it escalates.
pub(crate) const STOP_LIMIT: Duration = Duration::from_mins(10);
/// The same for a server that is suspended or over its disk limit.
pub(crate) const FORCED_STOP_LIMIT: Duration = Duration::from_mins(1);
/// The same for a server that is about to be reinstalled.
pub(crate) const REINSTALL_STOP_LIMIT: Duration = Duration::from_secs(10);
/// The same for a server into which a backup is about to be put back.
pub(crate) const RESTORE_STOP_LIMIT: Duration = Duration::from_mins(2);
/// How long a server may take after `SIGTERM` before `SIGKILL`.
pub(crate) const TERMINATE_LIMIT: Duration = Duration::from_secs(10);
/// How long a server may take after `SIGKILL` before the runtime is told to forget it.
pub(crate) const KILL_LIMIT: Duration = Duration::from_secs(10);
/// How long an installation may take.
pub(crate) const INSTALL_LIMIT: Duration = Duration::from_hours(6);
/// How long putting a backup back may take.
pub(crate) const RESTORE_LIMIT: Duration = Duration::from_hours(6);

/// What a server is doing, and the rules that it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// Whether an administrator took the server out of service.
    pub(crate) suspended: bool,
    /// What happens when it ends by itself.
    pub(crate) crash: CrashRule,
    /// When it last ended by itself.
    pub(crate) last_crash: Option<Timestamp>,
}

/// What happens when a server ends by itself (node-protocol.md §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrashRule {
    pub(crate) restart: bool,
    pub(crate) clean_exit_counts: bool,
    pub(crate) window: Duration,
}

/// What a server is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing runs.
    Offline,
    /// Its folder is made ready for a start.
    Preparing,
    /// The runtime starts it.
    Launching,
    /// It runs and has not said that it is ready.
    Starting,
    /// It runs.
    Running,
    /// It was asked to end.
    Stopping(Stopping),
    /// Its installation script runs.
    Installing(Installing),
    /// A backup is put back.
    Restoring,
}

/// How the end of a server goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopping {
    /// What was done last to end it.
    pub(crate) stage: Stage,
    /// What comes afterwards.
    pub(crate) then: Then,
    /// Whether an action waits for the end, so that others are refused; a stop command that
    /// somebody typed is no action.
    pub(crate) locked: bool,
}

/// What was done last to end a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It was asked in its own way, and may take this long.
    Asked(Duration),
    /// It was sent `SIGTERM`.
    Terminated,
    /// It was sent `SIGKILL`.
    Killed,
}

/// What comes after the end of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Rest,
    Start,
    Reinstall,
    Restore,
}

/// An installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Installing {
    pub(crate) reinstall: bool,
    pub(crate) then_start: bool,
    /// Whether it is being ended.
    pub(crate) aborting: bool,
}

/// What happens to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A person's or a schedule's action, which [`State::admit`] let pass.
    Power(PowerSignal),
    /// Everything is ready for the start.
    Prepared,
    /// It cannot be started; the reason was told already.
    NotPrepared,
    /// The runtime started it; `ready` says that no line has to be waited for.
    Launched { ready: bool },
    /// The runtime could not start it; the reason was told already.
    NotLaunched,
    /// The ready line appeared.
    Ready,
    /// Somebody typed the stop command.
    StopTyped,
    /// The files exceed the limit.
    OverDisk,
    /// The process ended.
    Exited { exit: Exit, at: Timestamp },
    /// The panel's word on whether it is out of service.
    Suspended(bool),
    /// Install it.
    Install { reinstall: bool, then_start: bool },
    /// The installation has ended.
    Installed { successful: bool },
    /// Put a backup back.
    Restore,
    /// A backup is put back, or could not be.
    Restored,
    /// It was found running when the node started.
    Found { ready: bool },
    /// Its installation was found running when the node started.
    FoundInstalling,
    /// It has stayed in a waiting state for its limit.
    TimedOut,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Make its folder ready for a start.
    Prepare,
    /// Give up making ready or starting.
    Abandon,
    /// Start it.
    Launch,
    /// Ask it to stop in its own way.
    AskToStop,
    /// Send it a signal.
    Signal(Signal),
    /// Have the runtime forget it, since it does not even end when killed.
    Destroy,
    /// Run its installation script.
    Install { reinstall: bool },
    /// End its installation.
    AbortInstall,
    /// Put the backup back.
    Restore,
    /// Tell the panel how the installation ended.
    ReportInstall { successful: bool, reinstall: bool },
    /// Say that it crashed.
    SayCrashed(Exit),
    /// Say that a crash does not restart it, for it is told not to.
    SayNoRestart,
    /// Say that a crash does not restart it, for it crashed shortly before.
    SayCrashLoop,
    /// Say that it is over its disk limit.
    SayOverDisk,
    /// Say that a limit ran out and it is ended harder.
    SayEscalation,
}

/// Why an action is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Another one is going on (node-protocol.md §4.2).
    #[error(
        "another power action is currently being processed for this server, please try again later"
    )]
    Locked,
    /// It runs already.
    #[error("server is running")]
    Running,
    /// An administrator took it out of service.
    #[error("server is currently in a suspended state")]
    Suspended,
    /// It is being installed.
    #[error("server is currently installing")]
    Installing,
    /// A backup is being put back.
    #[error("server is currently being restored")]
    Restoring,
}

impl State {
    /// A server that does nothing.
    pub(crate) const fn new(crash: CrashRule) -> Self {
        Self {
            phase: Phase::Offline,
            suspended: false,
            crash,
            last_crash: None,
        }
    }

    /// The word of the wire.
    pub(crate) const fn power(&self) -> PowerState {
        match self.phase {
            // The steps before a start leave the state as it is (node-protocol.md §5.3).
            Phase::Offline | Phase::Preparing | Phase::Installing(_) | Phase::Restoring => {
                PowerState::Offline
            }
            Phase::Launching | Phase::Starting => PowerState::Starting,
            Phase::Running => PowerState::Running,
            Phase::Stopping(_) => PowerState::Stopping,
        }
    }

    /// How long the server may stay as it is, where it waits for something.
    pub(crate) const fn limit(&self) -> Option<Duration> {
        match self.phase {
            Phase::Offline | Phase::Running => None,
            Phase::Preparing => Some(PREPARE_LIMIT),
            Phase::Restoring => Some(RESTORE_LIMIT),
            Phase::Launching => Some(LAUNCH_LIMIT),
            Phase::Starting => Some(READY_GRACE),
            Phase::Stopping(Stopping {
                stage: Stage::Asked(limit),
                ..
            }) => Some(limit),
            Phase::Stopping(Stopping {
                stage: Stage::Terminated,
                ..
            }) => Some(TERMINATE_LIMIT),
            Phase::Installing(Installing {
                aborting: false, ..
            }) => Some(INSTALL_LIMIT),
            Phase::Stopping(Stopping {
                stage: Stage::Killed,
                ..
            })
            | Phase::Installing(Installing { aborting: true, .. }) => Some(KILL_LIMIT),
        }
    }

    /// Whether an action is going on that others have to wait for.
    pub(crate) const fn is_locked(&self) -> bool {
        matches!(
            self.phase,
            Phase::Preparing | Phase::Launching | Phase::Stopping(Stopping { locked: true, .. })
        )
    }

    /// Whether its installation runs.
    pub(crate) const fn is_installing(&self) -> bool {
        matches!(self.phase, Phase::Installing(_))
    }

    /// Whether a backup is being put back.
    pub(crate) const fn is_restoring(&self) -> bool {
        matches!(self.phase, Phase::Restoring)
    }

    /// Whether a backup is being put back, or will be once the server has stopped.
    pub(crate) const fn will_restore(&self) -> bool {
        matches!(
            self.phase,
            Phase::Restoring
                | Phase::Stopping(Stopping {
                    then: Then::Restore,
                    ..
                })
        )
    }

    /// Whether an action may begin now. Killing always may: it is what helps when nothing else
    /// does.
    pub(crate) fn admit(&self, signal: PowerSignal) -> Result<(), Refusal> {
        let starts = matches!(signal, PowerSignal::Start | PowerSignal::Restart);
        match signal {
            // Not even killing: nothing runs that could be killed.
            _ if self.is_restoring() => Err(Refusal::Restoring),
            PowerSignal::Kill => Ok(()),
            _ if self.is_installing() => Err(Refusal::Installing),
            _ if self.is_locked() => Err(Refusal::Locked),
            _ if starts && self.suspended => Err(Refusal::Suspended),
            PowerSignal::Start if self.phase != Phase::Offline => Err(Refusal::Running),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
