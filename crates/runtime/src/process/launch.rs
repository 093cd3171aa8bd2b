//! Starts keepers and clears away after them. Everything here waits for the kernel, so it runs off
//! the async runtime's threads.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use hatchery_sandbox::{Cgroups, Group, GroupLimits};
use hatchery_vocab::ServerUuid;

use crate::keeper::{InstanceRecord, Order, READY, RunFolder, SUBCOMMAND};
use crate::{ResourceLimits, RuntimeError};

/// The longest answer of a keeper that is read.
const MAX_ANSWER: u64 = 8 * 1024;

/// Starts a keeper and waits until its program runs.
pub(super) fn launch(executable: &File, order: &Order) -> Result<(), RuntimeError> {
    let failed = |error: io::Error| RuntimeError::failed("starting the keeper", error);
    let order = serde_json::to_vec(order).map_err(|error| failed(error.into()))?;
    // By descriptor, so that it is this very program even if the file was replaced.
    let program = format!("/proc/self/fd/{}", executable.as_raw_fd());
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime is what starts programs"
    )]
    let mut keeper = Command::new(program)
        .arg0("hatchery")
        .arg(SUBCOMMAND)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    // A keeper that refuses before it has read everything says why on its other pipe.
    let handed_over = keeper
        .stdin
        .take()
        .map_or(Ok(()), |mut pipe| pipe.write_all(&order));
    let mut answer = String::new();
    if let Some(pipe) = keeper.stdout.take() {
        pipe.take(MAX_ANSWER)
            .read_to_string(&mut answer)
            .map_err(failed)?;
    }
    // What was started directly has moved to the background and ended.
    keeper.wait().map_err(failed)?;
    match answer.trim() {
        READY => Ok(()),
        "" => {
            Err(failed(handed_over.err().unwrap_or_else(|| {
                io::Error::other("it ended without a word")
            })))
        }
        reason => Err(RuntimeError::failed("building the sandbox", reason)),
    }
}

/// Makes the server's control group, empty and with its limits; none where the machine has none.
pub(super) fn make_group(
    cgroups: &Cgroups,
    server: ServerUuid,
    limits: &ResourceLimits,
) -> Result<Option<Group>, RuntimeError> {
    if !cgroups.usable() {
        tracing::warn!(%server, "no control groups: the server's limits are not enforced");
        return Ok(None);
    }
    let failed = |error| RuntimeError::failed("making the control group", error);
    let name = server.to_string();
    // What an earlier instance left behind would count: processes, and its out-of-memory kills.
    let stale = cgroups.create(&name).map_err(failed)?;
    stale.kill_all();
    stale.remove().map_err(failed)?;
    let group = cgroups.create(&name).map_err(failed)?;
    for failure in group.apply(&group_limits(limits)) {
        tracing::warn!(%server, failure, "a limit of the server is not enforced");
    }
    Ok(Some(group))
}

/// Ends whatever is left of an instance without a keeper, and takes its traces away.
pub(super) fn sweep(folder: &RunFolder, record: &InstanceRecord) {
    if let Some(group) = &record.group {
        group.kill_all();
        if let Err(error) = group.remove() {
            tracing::warn!(%error, "a control group is left over");
        }
    }
    if let Err(error) = folder.remove() {
        tracing::warn!(%error, folder = %folder.path().display(), "an instance's folder is left over");
    }
}

/// The instances that have a folder.
pub(super) fn instances(
    run_dir: &Path,
) -> io::Result<Vec<(ServerUuid, RunFolder, InstanceRecord)>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime's own folder, not a server's"
    )]
    let entries = std::fs::read_dir(run_dir)?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(server) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let folder = RunFolder::new(entry.path());
        match folder.read_instance() {
            Some(record) => found.push((server, folder, record)),
            // This program died before it had written down what it was about to start.
            None => folder.remove()?,
        }
    }
    Ok(found)
}

pub(super) fn group_limits(limits: &ResourceLimits) -> GroupLimits {
    GroupLimits {
        memory: limits.memory,
        swap: limits.swap,
        cpu: limits.cpu,
        cpus: limits.threads.clone(),
        io_weight: limits.io_weight,
        pids: limits.pids,
        oom_kill_disabled: limits.oom_kill_disabled,
    }
}

pub(super) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime's own file, not a server's"
    )]
    File::open(path)
}
