//! Settings of the process runtime.

use std::path::PathBuf;

use hatchery_vocab::MiB;

/// Settings of the process runtime.
#[derive(Clone, Debug)]
pub struct ProcessConfig {
    /// Where sockets, exit records and the servers' users are kept. It must survive a restart of
    /// this program, and better of the machine: a folder of the data folder.
    pub run_dir: PathBuf,
    /// The program whose sub-command `keeper` is [`crate::keeper::main`].
    pub executable: PathBuf,
    /// Where control groups are mounted.
    pub cgroup_root: PathBuf,
    /// The first of the users that servers get, when this program is root.
    pub first_uid: u32,
    /// How many users there are.
    pub uid_count: u32,
    /// The size of every server's `/tmp`.
    pub tmp: MiB,
    /// Further folders of the machine that servers see, read-only: run-times and games that are
    /// installed outside `/usr` and `/opt`.
    pub visible: Vec<PathBuf>,
    /// Folders that servers must not see even beneath a visible one: the data folder.
    pub hidden: Vec<PathBuf>,
}

impl ProcessConfig {
    /// The usual settings.
    pub fn new(run_dir: impl Into<PathBuf>) -> Self {
        Self {
            run_dir: run_dir.into(),
            executable: "/proc/self/exe".into(),
            cgroup_root: "/sys/fs/cgroup".into(),
            first_uid: 200_000,
            uid_count: 100_000,
            // What Wings gives (node-protocol.md §1.1).
            tmp: MiB::new(100),
            visible: Vec::new(),
            hidden: Vec::new(),
        }
    }
}
