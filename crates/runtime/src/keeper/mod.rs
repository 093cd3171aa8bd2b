//! A keeper: the small process that owns one instance's terminal, so that the instance outlives
//! the panel.
//!
//! The panel's binary starts itself with the hidden sub-command `keeper` and hands over an
//! `Order` on standard input. The keeper moves into the background, builds the sandbox, remembers
//! the last output, speaks with the panel over a socket, and writes down how the instance ended. It
//! has a single thread and knows nothing of the panel's configuration, database or network.

mod folder;
mod panel;
mod ring;
mod serve;
mod wire;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use hatchery_sandbox::{Group, Plan, detach, spawn};
use hatchery_vocab::ServerUuid;
use rustix::process::{Pid, WaitOptions, waitpid};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use serde::{Deserialize, Serialize};

pub(crate) use folder::{InstanceRecord, RunFolder};
pub(crate) use ring::{RING_BYTES, Ring};
use serve::Serving;
pub(crate) use wire::{Frame, HEADER, Hello, header};

use crate::Job;

/// The word on the command line that makes the binary a keeper.
pub const SUBCOMMAND: &str = "keeper";

/// What a keeper answers on standard output once the program runs. Anything else is the reason why
/// it does not.
pub(crate) const READY: &str = "ready";

/// The longest order: environment, script and start line of one server.
const MAX_ORDER: u64 = 16 * 1024 * 1024;

/// All that a keeper needs to know. It is handed over by a pipe, never by a file: the environment
/// may hold secrets.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) server: ServerUuid,
    pub(crate) job: Job,
    /// Microseconds since 1970.
    pub(crate) started_at: i64,
    pub(crate) folder: PathBuf,
    pub(crate) group: Option<Group>,
    pub(crate) plan: Plan,
    /// Printed before anything else.
    pub(crate) banner: String,
}

/// Runs a keeper. Call it first thing in `main`, before any thread or async runtime exists, when
/// the first argument is [`SUBCOMMAND`]; the result is the process's exit code.
pub fn main() -> i32 {
    let mut answer = io::stdout();
    match start() {
        Ok(serving) => {
            // Without a panel the instance runs all the same.
            let _ = writeln!(answer, "{READY}");
            let _ = answer.flush();
            let _ = leave_standard_streams();
            serving.run();
            0
        }
        Err(reason) => {
            let _ = writeln!(answer, "{reason}");
            1
        }
    }
}

/// Does everything that can fail.
fn start() -> Result<Serving, String> {
    // It was started by way of a descriptor, and would be known by that number.
    let _ = rustix::thread::set_name(c"hatchery-keeper");
    let mut json = Vec::new();
    io::stdin()
        .take(MAX_ORDER)
        .read_to_end(&mut json)
        .map_err(saying("reading the order"))?;
    let mut order: Order = serde_json::from_slice(&json).map_err(saying("reading the order"))?;
    drop(json);
    order.plan.helper = own_program();
    detach().map_err(|error| error.to_string())?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    std::env::set_current_dir("/").map_err(saying("leaving the working directory"))?;

    let folder = RunFolder::new(order.folder.clone());
    let listener = folder
        .listen()
        .map_err(saying("listening on the keeper's socket"))?;
    let (terminal, inside) = open_terminal(&order.plan).map_err(saying("opening a terminal"))?;
    let prepared = spawn(&order.plan, inside.as_fd()).map_err(|error| error.to_string())?;
    drop(inside);
    let pid = Pid::from_raw(prepared.pid()).ok_or("the sandbox has no process")?;
    let joined = order
        .group
        .as_ref()
        .map_or(Ok(()), |group| group.add(prepared.pid()));
    // A sandbox that is dropped before it is let go ends itself.
    if let Err(error) = joined.and_then(|()| prepared.release()) {
        let _ = waitpid(Some(pid), WaitOptions::empty());
        return Err(error.to_string());
    }
    Serving::new(order, folder, listener, terminal, pid).map_err(saying("serving the terminal"))
}

/// The program itself, for the game that is inside it; none when it was deleted meanwhile.
fn own_program() -> Option<PathBuf> {
    const DELETED: &str = " (deleted)";
    let path = std::env::current_exe().ok()?;
    // One that was replaced by an update has the same name.
    let path = path.to_str()?.trim_end_matches(DELETED);
    Some(PathBuf::from(path)).filter(|path| path.is_file())
}

fn saying<E: std::fmt::Display>(action: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{action}: {error}")
}

/// Opens a pseudo-terminal: the keeper's end, and the end for the inside, which belongs to the
/// instance's user so that programs can open their terminal again by name.
fn open_terminal(plan: &Plan) -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let keeper = openpt(flags)?;
    grantpt(&keeper)?;
    unlockpt(&keeper)?;
    let inside = ioctl_tiocgptpeer(&keeper, flags)?;
    if !plan.identity.user_namespace {
        let (uid, gid) = (plan.identity.uid, plan.identity.gid);
        rustix::fs::fchown(
            &inside,
            Some(rustix::fs::Uid::from_raw(uid)),
            Some(rustix::fs::Gid::from_raw(gid)),
        )?;
    }
    rustix::fs::fcntl_setfl(
        &keeper,
        rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::RDWR,
    )?;
    Ok((keeper, inside))
}

/// Lets go of the pipes to the panel.
fn leave_standard_streams() -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}
