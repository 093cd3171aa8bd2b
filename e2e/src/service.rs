//! A program that runs beside whoever started it, and never longer.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long a service may take to stop before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How often a waiting owner looks.
const POLL: Duration = Duration::from_millis(2);

/// A running program. Dropping it stops it; the kernel does should its owner be killed.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    child: Child,
    stop: Signal,
}

impl Service {
    /// Starts `program` with `arguments`, as `user` where one is given, in a process group of its
    /// own so that Ctrl-C reaches only its owner. `stop` is the signal that ends it in order, and
    /// `adjust` may set its environment and output.
    pub fn start(
        name: &'static str,
        program: &Path,
        arguments: &[&OsStr],
        user: Option<&str>,
        stop: Signal,
        adjust: impl FnOnce(&mut Command),
    ) -> Result<Service> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]);
        if let Some(user) = user {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        command.arg("--").arg(program).args(arguments);
        command.stdin(Stdio::null()).process_group(0);
        adjust(&mut command);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Service { name, child, stop })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks `ready` until it says yes; fails when `ready` does, when the service ends, or after
    /// `patience`.
    pub fn wait_until(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let deadline = Instant::now() + patience;
        while !ready()? {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status})", self.name);
            }
            if Instant::now() > deadline {
                bail!("{} was not ready after {} s", self.name, patience.as_secs());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Asks it to end in order and waits; kills its whole group when it does not listen.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.end(self.stop)
    }

    /// `kill -9`, of this one process: what it started is left as it is.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.end(Signal::KILL)
    }

    fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.context("a process without an id")?;
        kill_process(pid, signal)?;
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(POLL);
        }
        kill_process_group(pid, Signal::KILL)?;
        self.child.wait()?;
        bail!(
            "{} did not stop within {} s and was killed",
            self.name,
            STOP_PATIENCE.as_secs()
        )
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Nobody is left to tell.
        drop(self.end(self.stop));
    }
}
