//! The first process of a sandbox. It starts the program in a process group of its own, passes
//! signals on to that group, buries orphans, and ends with the program; the kernel then ends
//! whatever is left.

use std::convert::Infallible;
use std::ffi::CString;
use std::io;

use crate::error::{Doing, Error};
use crate::spawn::exit_code;
use crate::sys;

/// The signals that are passed on to the program's process group.
pub const FORWARDED: [i32; 5] = [
    libc::SIGABRT,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
];

/// The exit code of a sandbox whose program could not be started after all.
const CANNOT_RUN: i32 = 126;

/// A command line and environment in the form that the kernel wants.
pub(crate) struct Program {
    pub(crate) commands: Vec<Vec<CString>>,
    pub(crate) environment: Vec<CString>,
    /// The folders in which a program without a slash is looked for.
    pub(crate) search: Vec<CString>,
}

/// Starts the program and stays until it ends. The descriptors 0 to 2 are its terminal, which is
/// the controlling terminal of this process already.
pub(crate) fn run(program: &Program, report: impl Fn(&Error)) -> Result<Infallible, Error> {
    let signals = block_signals().doing(|| "blocking signals")?;
    // SAFETY: the sandbox is built by a process with a single thread.
    let forked = unsafe { sys::fork_into(0) };
    let Some(main) = forked.doing(|| "starting the program")? else {
        let error = become_program(program);
        report(&error);
        sys::exit_now(CANNOT_RUN)
    };
    // Both sides make the group and give it the terminal, so that neither has to wait.
    own_terminal(main);
    close_inherited();
    watch(main, &signals)
}

fn watch(main: i32, signals: &libc::sigset_t) -> ! {
    let mut ended = None;
    let mut stopping = false;
    loop {
        let mut signal = 0;
        // SAFETY: both pointers are valid for the length of the call.
        if unsafe { libc::sigwait(signals, &raw mut signal) } != 0 {
            continue;
        }
        if signal == libc::SIGCHLD {
            while let Some((pid, status)) = reap() {
                if pid == main {
                    ended = Some(exit_code(status));
                }
            }
        } else if FORWARDED.contains(&signal) {
            stopping = true;
            // SAFETY: the call takes numbers only. A group that is gone already is no error.
            unsafe { libc::kill(-main, signal) };
        }
        if let Some(code) = ended
            // A shell dies of the SIGTERM that the game beneath it still works on: what was asked
            // to stop may take the time that it needs.
            && !(stopping && group_exists(main))
        {
            sys::exit_now(code)
        }
    }
}

/// Closes what came from the keeper: its end of the terminal must hang up when it dies, and the
/// closed report tells it that the program runs. Nothing here uses a descriptor afterwards, and it
/// never returns to code that owns one.
fn close_inherited() {
    const FIRST: libc::c_uint = 3;
    // There is nothing to be done about a failure but to stay open.
    let _ = sys::close_from(FIRST);
}

fn reap() -> Option<(i32, i32)> {
    let mut status = 0;
    // SAFETY: `status` is valid for writes for the length of the call.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    (pid > 0).then_some((pid, status))
}

fn group_exists(group: i32) -> bool {
    // SAFETY: signal 0 only asks whether the group exists.
    unsafe { libc::kill(-group, 0) == 0 }
}

/// Blocks every signal and says which: they are taken by waiting for them. The first process of a
/// namespace would never see a signal that it neither blocks nor handles.
fn block_signals() -> io::Result<libc::sigset_t> {
    // SAFETY: a zeroed set is valid for `sigfillset`, which fills it; the pointers are valid.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        sys::checked(
            libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut()).into(),
        )?;
        Ok(all)
    }
}

fn own_terminal(main: i32) {
    // SAFETY: the calls take numbers only. They fail harmlessly when the other side was faster or
    // the program has ended already; SIGTTOU is blocked on both sides.
    unsafe {
        libc::setpgid(main, main);
        libc::tcsetpgrp(0, main);
    }
}

/// Turns into the program; returns only when that failed.
fn become_program(program: &Program) -> Error {
    // SAFETY: the calls take numbers only.
    own_terminal(unsafe { libc::getpid() });
    if let Err(error) = reset_signals() {
        return Error {
            action: "resetting signals".into(),
            source: error,
        };
    }
    let environment = pointers(&program.environment);
    let mut last = Error {
        action: "starting the program".into(),
        source: io::ErrorKind::NotFound.into(),
    };
    for command in &program.commands {
        let Some(name) = command.first() else {
            continue;
        };
        let arguments = pointers(command);
        let candidates = if name.as_bytes().contains(&b'/') {
            vec![name.clone()]
        } else {
            program
                .search
                .iter()
                .filter_map(|folder| join(folder, name))
                .collect()
        };
        for path in candidates {
            // SAFETY: path, arguments and environment are valid C strings in arrays that end with
            // a null pointer, and outlive the call.
            unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::NotFound {
                last = Error {
                    action: format!("starting {}", path.to_string_lossy()),
                    source: error,
                };
                return last;
            }
            last = Error {
                action: format!("starting {}", name.to_string_lossy()),
                source: error,
            };
        }
    }
    last
}

fn join(folder: &CString, name: &CString) -> Option<CString> {
    CString::new([folder.as_bytes(), b"/", name.as_bytes()].concat()).ok()
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain(std::iter::once(std::ptr::null()))
        .collect()
}

/// A program starts with no signal ignored or blocked, whatever its ancestors did.
fn reset_signals() -> io::Result<()> {
    // SAFETY: the default action is valid for every signal; the two signals that cannot be set
    // answer with an error that does not matter. The set is initialised before it is used.
    unsafe {
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        sys::checked(
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()).into(),
        )?;
    }
    Ok(())
}
