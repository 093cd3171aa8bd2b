//! What the machine lacks for confining well, in words for the person who runs it.

use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

use crate::cgroup::Cgroups;
use crate::landlock;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// All is well.
    Good,
    /// Servers run, with something missing.
    Warning,
    /// Servers cannot run.
    Error,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What was looked at.
    pub subject: &'static str,
    /// What was found, and what to mend.
    pub text: String,
}

impl Finding {
    fn new(severity: Severity, subject: &'static str, text: impl Into<String>) -> Self {
        Self {
            severity,
            subject,
            text: text.into(),
        }
    }
}

/// Looks at the machine. `cgroups` are the groups that would be used.
pub fn diagnose(cgroups: &Cgroups) -> Vec<Finding> {
    let mut findings = vec![user(), mount_interface(), beneath(), scopes()];
    findings.extend(groups(cgroups));
    findings
}

fn user() -> Finding {
    if rustix::process::geteuid().is_root() {
        return Finding::new(
            Severity::Good,
            "user",
            "root: every server gets a user of its own",
        );
    }
    let most = number("/proc/sys/user/max_user_namespaces");
    let forbidden = [
        (
            most == Some(0),
            "user.max_user_namespaces is 0: raise it with sysctl, or run as root",
        ),
        (
            number("/proc/sys/kernel/unprivileged_userns_clone") == Some(0),
            "kernel.unprivileged_userns_clone is 0: set it to 1 with sysctl, or run as root",
        ),
        (
            number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1),
            "kernel.apparmor_restrict_unprivileged_userns is 1: set it to 0 or allow this program by a profile, or run as root",
        ),
    ];
    match forbidden.into_iter().find(|(applies, _)| *applies) {
        Some((_, text)) => Finding::new(Severity::Error, "user namespaces", text),
        None => Finding::new(
            Severity::Warning,
            "user",
            "not root: all servers share one user, and only namespaces keep them apart; run as root for one user each",
        ),
    }
}

fn mount_interface() -> Finding {
    match crate::sys::clone_mount(Path::new("/proc/self/exe")).map_err(|error| error.raw_os_error())
    {
        Err(Some(libc::ENOSYS)) => Finding::new(
            Severity::Error,
            "mounts",
            "the kernel is too old for the sandbox: it needs Linux 5.12 or later",
        ),
        // Without privileges the call is refused, which shows that it is there.
        _ => Finding::new(
            Severity::Good,
            "mounts",
            "the kernel has the mount interface of Linux 5.12",
        ),
    }
}

fn beneath() -> Finding {
    let flags = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match openat2(
        CWD,
        ".",
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        flags,
    ) {
        Ok(_) => Finding::new(
            Severity::Good,
            "openat2",
            "files can be opened beneath a folder",
        ),
        Err(error) => Finding::new(
            Severity::Error,
            "openat2",
            format!(
                "files cannot be opened beneath a folder ({error}): it needs Linux 5.6 and no filter in the way"
            ),
        ),
    }
}

fn scopes() -> Finding {
    if landlock::can_scope() {
        Finding::new(
            Severity::Good,
            "landlock",
            format!("version {}", landlock::abi()),
        )
    } else {
        Finding::new(
            Severity::Warning,
            "landlock",
            "abstract Unix sockets of the machine can be reached by servers: Linux 6.12 with Landlock closes them",
        )
    }
}

fn groups(cgroups: &Cgroups) -> Vec<Finding> {
    let missing = cgroups.missing();
    if missing.is_empty() {
        let text = format!("version {}, with every controller", cgroups.version());
        return vec![Finding::new(Severity::Good, "control groups", text)];
    }
    missing
        .into_iter()
        .map(|(purpose, reason)| {
            Finding::new(
                Severity::Warning,
                "control groups",
                format!("no {purpose}: {reason}"),
            )
        })
        .collect()
}

fn number(path: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a setting of the kernel, not a server's file"
    )]
    let text = std::fs::read_to_string(path).ok()?;
    text.trim().parse().ok()
}
