//! The stored status of a server, which says what the panel allows, not whether its process runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a server is out of the ordinary; an ordinary server has no status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerStatus {
    /// Its installation runs or waits to run.
    Installing,
    /// Its first installation failed.
    InstallFailed,
    /// A later installation failed; the server stays usable.
    ReinstallFailed,
    /// An administrator took it out of service.
    Suspended,
    /// A backup is being put back.
    RestoringBackup,
}

impl ServerStatus {
    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Installing => "installing",
            Self::InstallFailed => "install_failed",
            Self::ReinstallFailed => "reinstall_failed",
            Self::Suspended => "suspended",
            Self::RestoringBackup => "restoring_backup",
        }
    }
}

impl fmt::Display for ServerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no server status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the status of a server")]
pub struct ParseServerStatus;

impl FromStr for ServerStatus {
    type Err = ParseServerStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "installing" => Ok(Self::Installing),
            "install_failed" => Ok(Self::InstallFailed),
            "reinstall_failed" => Ok(Self::ReinstallFailed),
            "suspended" => Ok(Self::Suspended),
            "restoring_backup" => Ok(Self::RestoringBackup),
            _ => Err(ParseServerStatus),
        }
    }
}
