//! What a server's process is doing, and what it can be told to do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Permission;

/// The state of a server's process. It lives on the node and is never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PowerState {
    /// No process.
    #[default]
    Offline,
    /// The process runs but has not said yet that it is ready.
    Starting,
    /// The process is ready.
    Running,
    /// The process was asked to end and has not ended yet.
    Stopping,
}

impl PowerState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
        }
    }
}

impl fmt::Display for PowerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a person can tell a server's process to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PowerSignal {
    /// Start it.
    Start,
    /// Ask it to end, and end it when it does not.
    Stop,
    /// Stop it if it runs, then start it.
    Restart,
    /// End it at once.
    Kill,
}

impl PowerSignal {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Kill => "kill",
        }
    }

    /// The permission that it takes. Killing takes the permission to stop: there is no
    /// `control.kill` (client-api.md §5.1).
    pub const fn permission(self) -> Permission {
        match self {
            Self::Start => Permission::ControlStart,
            Self::Stop | Self::Kill => Permission::ControlStop,
            Self::Restart => Permission::ControlRestart,
        }
    }
}

impl fmt::Display for PowerSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no power signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a power signal is one of start, stop, restart and kill")]
pub struct ParsePowerSignal;

impl FromStr for PowerSignal {
    type Err = ParsePowerSignal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "start" => Ok(Self::Start),
            "stop" => Ok(Self::Stop),
            "restart" => Ok(Self::Restart),
            "kill" => Ok(Self::Kill),
            _ => Err(ParsePowerSignal),
        }
    }
}
