//! What a confined program is and what it sees, as plain data that can be sent to another process.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A confined program. There is no `Debug`, since the environment may hold secrets.
#[derive(Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The name of the machine as the program sees it.
    pub hostname: String,
    /// The one folder of the machine that the program can write, and where it sees it. The program
    /// starts there.
    pub home: Mount,
    /// Further folders or files of the machine, mounted after all else.
    pub mounts: Vec<Mount>,
    /// Folders of the machine to show read-only at the same place, besides the system's own.
    pub visible: Vec<PathBuf>,
    /// Folders that must not be seen even where a visible folder contains them.
    pub hidden: Vec<PathBuf>,
    /// A program to put into the search path as `hatchery`, read-only.
    pub helper: Option<PathBuf>,
    /// Small read-only files that exist in the sandbox only: where, and the text.
    pub files: Vec<(PathBuf, String)>,
    /// The size of `/tmp`.
    pub tmp_bytes: u64,
    /// Who the program is.
    pub identity: Identity,
    /// The largest number of processes, where no cgroup counts them.
    pub max_processes: Option<u32>,
    /// Command lines; the first one whose program exists is run.
    pub commands: Vec<Vec<String>>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
}

/// Something of the machine that is seen inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// The path on the machine.
    pub source: PathBuf,
    /// The path inside.
    pub target: PathBuf,
    /// Whether it can only be read.
    pub read_only: bool,
}

/// The user and group a program runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Whether a user namespace is needed to get there, since the caller is not root. The user
    /// then stays who it is.
    pub user_namespace: bool,
}
