//! Confines a process: what it sees, what it may call, how much it may use.
//!
//! [`spawn()`] starts a program in namespaces of its own: a file tree in which only one folder can be
//! written, its own processes, its own user, no capabilities, a filter over system calls.
//! [`Cgroups`] bounds and measures it. The crate knows neither servers nor consoles. A sandbox can be
//! built only by a process with a single thread, since it forks.
//!
//! # What stands between a program and the machine
//!
//! Each row holds by itself; a hole in one is still covered by others.
//!
//! | way out | what is in it |
//! | --- | --- |
//! | files of the machine | an empty root, into which only named folders are mounted, read-only, without devices and set-user-id (`mounts`) |
//! | links, `..`, races on paths | mounts are copied before the root changes and attached after it, so every path ends inside |
//! | privileges | a user of its own, empty capability sets, locked secure bits, no new privileges (`privileges`) |
//! | the kernel's surface | a filter over the calls of every architecture the kernel runs (`seccomp`) |
//! | a second namespace as a way to privileges | the filter, `clone3` included |
//! | other processes | a process namespace, whose end is the end of everything in it (`init`) |
//! | signals and abstract sockets across the shared network | Landlock scopes (`landlock`) |
//! | memory, processors, processes | control groups, which are not mounted inside (`cgroup`) |
//! | descriptors of the keeper | all are closed or close when the program starts |
//!
//! What is shared on purpose: the network, since a game's ports are the machine's, and the programs
//! of the machine. Without root there is one user for all servers, and only the namespaces are left
//! between them; [`diagnose()`] says so.

mod cgroup;
mod diagnose;
mod error;
mod init;
mod landlock;
mod mounts;
mod plan;
mod privileges;
mod seccomp;
mod spawn;
mod sys;
mod tree;

pub use cgroup::{Cgroups, Group, GroupLimits, GroupUsage};
pub use diagnose::{Finding, Severity, diagnose};
pub use error::Error;
pub use init::FORWARDED;
pub use mounts::HELPER_FOLDER;
pub use plan::{Identity, Mount, Plan};
pub use spawn::{Prepared, detach, exit_code, spawn};
pub use tree::tree_usage;
