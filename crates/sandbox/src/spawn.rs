//! Starts a confined program.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::pipe::{PipeFlags, pipe_with};

use crate::error::{Doing, Error};
use crate::init::{self, Program};
use crate::mounts::Sources;
use crate::plan::Plan;
use crate::{landlock, privileges, seccomp, sys};

/// The longest text with which a sandbox says why it could not be built.
const MAX_REPORT: u64 = 4096;

/// The first descriptor after the standard streams.
const FIRST_OTHER: libc::c_uint = 3;

/// A sandbox whose first process waits to be let go, so that it can be put into a cgroup before it
/// does anything.
#[derive(Debug)]
pub struct Prepared {
    pid: i32,
    gate: File,
    report: File,
}

impl Prepared {
    /// The first process of the sandbox, as the caller's namespace numbers it. Its end is the end
    /// of all processes inside.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Lets it go and waits until the program runs, or until it is known why it does not. The
    /// process must be waited for in either case.
    pub fn release(mut self) -> Result<(), Error> {
        self.gate
            .write_all(&[1])
            .doing(|| "letting the sandbox go")?;
        drop(self.gate);
        let mut text = String::new();
        self.report
            .take(MAX_REPORT)
            .read_to_string(&mut text)
            .doing(|| "reading from the sandbox")?;
        if text.is_empty() {
            return Ok(());
        }
        let (number, action) = text.split_once(' ').unwrap_or(("0", &text));
        let source = match number.parse() {
            Ok(number) if number != 0 => io::Error::from_raw_os_error(number),
            _ => io::Error::other("refused"),
        };
        Err(Error {
            action: action.to_owned(),
            source,
        })
    }
}

/// Moves this process into the background: it gets a session of its own and a parent that buries
/// it, while the process that was called ends. It must have a single thread, and nothing open but
/// its standard streams: what else is open was inherited by mistake, and is closed, since it would
/// stay open for as long as this process lives.
pub fn detach() -> Result<(), Error> {
    demand_single_thread()?;
    sys::close_from(FIRST_OTHER).doing(|| "closing inherited descriptors")?;
    // SAFETY: there is a single thread.
    if unsafe { sys::fork_into(0) }
        .doing(|| "moving to the background")?
        .is_some()
    {
        sys::exit_now(0)
    }
    rustix::process::setsid().doing(|| "starting a session")?;
    Ok(())
}

/// A fork has only the thread that called for it, and locks that others held stay locked.
fn demand_single_thread() -> Result<(), Error> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a folder of the kernel's, not of a server"
    )]
    let threads = std::fs::read_dir("/proc/self/task")
        .doing(|| "counting threads")?
        .count();
    match threads {
        1 => Ok(()),
        _ => Err(io::Error::other(format!("{threads} threads are running"))).doing(|| "forking"),
    }
}

/// Builds a sandbox for the plan with `terminal` as its terminal and its standard streams. The
/// process must have a single thread.
pub fn spawn(plan: &Plan, terminal: BorrowedFd<'_>) -> Result<Prepared, Error> {
    demand_single_thread()?;
    let (gate_reader, gate) = pipe_with(PipeFlags::CLOEXEC).doing(|| "making a pipe")?;
    let (report, report_writer) = pipe_with(PipeFlags::CLOEXEC).doing(|| "making a pipe")?;
    let user = if plan.identity.user_namespace {
        libc::CLONE_NEWUSER
    } else {
        0
    };
    let namespaces =
        user | libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    // SAFETY: there is a single thread.
    let forked = unsafe { sys::fork_into(namespaces | libc::CLONE_NEWCGROUP) }
        // Kernels without cgroup namespaces still confine in every other way.
        // SAFETY: as above.
        .or_else(|_| unsafe { sys::fork_into(namespaces) });
    let Some(pid) = forked.doing(|| "making namespaces")? else {
        drop((gate, report));
        let report = |error: &Error| {
            let number = error.source.raw_os_error().unwrap_or(0);
            // Nobody is left to be told when this fails.
            let _ =
                File::from(rustix::io::dup(&report_writer).unwrap_or_else(|_| sys::exit_now(1)))
                    .write_all(format!("{number} {}", error.action).as_bytes());
        };
        let Err(error) = enter(plan, &gate_reader, terminal, &report);
        report(&error);
        sys::exit_now(1)
    };
    Ok(Prepared {
        pid,
        gate: gate.into(),
        report: report.into(),
    })
}

/// The exit code that a shell would show: 128 plus the signal's number for a death by signal.
pub fn exit_code(status: i32) -> i32 {
    let status = ExitStatus::from_raw(status);
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1)
}

/// Everything that the new process does to become the first process of a sandbox.
fn enter(
    plan: &Plan,
    gate: &OwnedFd,
    terminal: BorrowedFd<'_>,
    report: &impl Fn(&Error),
) -> Result<Infallible, Error> {
    let mut go = [0];
    if rustix::io::read(gate, &mut go).doing(|| "waiting to be let go")? == 0 {
        // The keeper died in between.
        sys::exit_now(1)
    }
    if plan.identity.user_namespace {
        map_user(plan)?;
    }
    take_terminal(terminal)?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    sys::make_private().doing(|| "making the mounts private")?;
    Sources::open(plan)?.build(plan)?;
    rustix::system::sethostname(plan.hostname.as_bytes()).doing(|| "naming the machine")?;

    privileges::limit(plan.max_processes)?;
    privileges::drop_all(plan.identity)?;
    landlock::scope().doing(|| "scoping abstract sockets and signals")?;
    // Nobody inside may look into this process, and it must not outlive its keeper. Both are
    // forgotten when the user changes, so they come after that.
    sys::prctl(libc::PR_SET_DUMPABLE, 0).doing(|| "hiding the first process")?;
    sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)
        .doing(|| "binding to the keeper")?;
    seccomp::install().doing(|| "filtering system calls")?;
    close_others()?;
    init::run(&program(plan)?, report)
}

fn map_user(plan: &Plan) -> Result<(), Error> {
    let write = |name: &str, text: String| {
        rustix::fs::open(
            format!("/proc/self/{name}"),
            rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )
        .and_then(|file| rustix::io::write(file, text.as_bytes()))
        .doing(|| format!("writing {name}"))
    };
    let (uid, gid) = (plan.identity.uid, plan.identity.gid);
    write("setgroups", "deny".into())?;
    write("uid_map", format!("{uid} {uid} 1"))?;
    write("gid_map", format!("{gid} {gid} 1"))?;
    Ok(())
}

/// Makes the terminal the controlling one of this new session, and its standard streams.
fn take_terminal(terminal: BorrowedFd<'_>) -> Result<(), Error> {
    rustix::process::setsid().doing(|| "starting a session")?;
    rustix::process::ioctl_tiocsctty(terminal).doing(|| "taking the terminal")?;
    for stream in 0..3 {
        // SAFETY: the calls take numbers only; the standard streams belong to nobody in this fork.
        sys::checked(unsafe { libc::dup2(terminal.as_raw_fd(), stream) }.into())
            .doing(|| "taking the terminal")?;
    }
    Ok(())
}

/// Lets every other descriptor close when the program starts. The report's end stays open until
/// then, which is how the keeper learns that it runs.
fn close_others() -> Result<(), Error> {
    // SAFETY: the call takes numbers only and closes nothing by itself.
    sys::checked(unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST_OTHER,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    })
    .doing(|| "marking descriptors")?;
    Ok(())
}

fn program(plan: &Plan) -> Result<Program, Error> {
    let c_strings = |strings: &[String]| -> Result<Vec<CString>, Error> {
        strings
            .iter()
            .map(|string| CString::new(string.as_str()))
            .collect::<Result<_, _>>()
            .doing(|| "reading the command line: it has a zero byte")
    };
    let environment: Vec<String> = plan
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let search = plan
        .environment
        .iter()
        .rev()
        .find(|(name, _)| name == "PATH")
        .map_or("", |(_, value)| value);
    let search: Vec<String> = search
        .split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(Into::into)
        .collect();
    Ok(Program {
        commands: plan
            .commands
            .iter()
            .map(|command| c_strings(command))
            .collect::<Result<_, _>>()?,
        environment: c_strings(&environment)?,
        search: c_strings(&search)?,
    })
}
