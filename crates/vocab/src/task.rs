//! What the tasks of a schedule do.

use std::fmt;
use std::str::FromStr;

/// What a task does with its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskAction {
    /// Types it into the console.
    Command,
    /// Sends it as a power signal.
    Power,
    /// Makes a backup that leaves out what it lists.
    Backup,
}

impl TaskAction {
    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Power => "power",
            Self::Backup => "backup",
        }
    }
}

impl fmt::Display for TaskAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names nothing that a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a task is one of command, power and backup")]
pub struct ParseTaskAction;

impl FromStr for TaskAction {
    type Err = ParseTaskAction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "command" => Ok(Self::Command),
            "power" => Ok(Self::Power),
            "backup" => Ok(Self::Backup),
            _ => Err(ParseTaskAction),
        }
    }
}
