//! Confines a process: what it sees, what it may call, how much it may use.
//!
//! [`spawn`] starts a program in namespaces of its own: a file tree in which only one folder can be
//! written, its own processes, its own user, no capabilities, a filter over system calls.
//! [`Cgroups`] bounds and measures it. The crate knows neither servers nor consoles. A sandbox can be
//! built only by a process with a single thread, since it forks.

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
