//! A Docker Engine for tests: the machine's own where one answers, else a throw-away one from the
//! machine's package, with all that it keeps in a folder that goes with it.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use hatchery_e2e::Service;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{interrupt, machine, program};

/// Where an engine that the machine runs itself answers.
const SYSTEM_SOCKET: &str = "/var/run/docker.sock";

/// How long the engine may take to answer.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// An engine that answers.
#[derive(Debug)]
pub(crate) struct Docker {
    /// Its socket.
    pub socket: PathBuf,
    /// What was started, if it was, in the order in which it ends.
    own: Option<(Service, TempDir)>,
}

impl Drop for Docker {
    fn drop(&mut self) {
        let Some(own) = self.own.take() else { return };
        // An engine leaves the bridges of its networks to the machine, where those of the next
        // engine would meet them.
        let containers = client(&self.socket)
            .args(["ps", "--all", "--quiet"])
            .output();
        let containers = containers.map(|output| output.stdout).unwrap_or_default();
        let containers = String::from_utf8_lossy(&containers);
        let ids: Vec<&str> = containers.split_whitespace().collect();
        if !ids.is_empty() {
            drop(
                client(&self.socket)
                    .args(["rm", "--force"])
                    .args(ids)
                    .output(),
            );
        }
        drop(
            client(&self.socket)
                .args(["network", "prune", "--force"])
                .output(),
        );
        drop(own);
    }
}

impl Docker {
    /// Takes the machine's engine, or starts one.
    pub(crate) fn start() -> Result<Docker> {
        let system = PathBuf::from(SYSTEM_SOCKET);
        if system.exists() && answers(&system) {
            return Ok(Docker {
                socket: system,
                own: None,
            });
        }
        if !machine::is_root() {
            bail!("no Docker Engine answers at {SYSTEM_SOCKET}, and only root can start one");
        }
        let dockerd = program::find("dockerd").context("dockerd is missing")?;
        sweep();
        let folder = tempfile::Builder::new()
            .prefix("hatchery-docker-")
            .tempdir()?;
        let socket = folder.path().join("docker.sock");
        let log = folder.path().join("log");
        let mut host = std::ffi::OsString::from("unix://");
        host.push(&socket);
        let arguments = [
            ("--data-root", folder.path().join("data").into_os_string()),
            ("--exec-root", folder.path().join("run").into_os_string()),
            ("--pidfile", folder.path().join("pid").into_os_string()),
            ("--host", host),
            ("--log-level", "warn".into()),
        ];
        let arguments: Vec<&OsStr> = arguments
            .iter()
            .flat_map(|(option, value)| [OsStr::new(option), value.as_os_str()])
            .collect();
        let output = File::create(&log)?;
        let complaints = output.try_clone()?;
        let mut service = Service::start(
            "Docker Engine",
            &dockerd,
            &arguments,
            None,
            Signal::TERM,
            |command| {
                command.stdout(output).stderr(complaints);
            },
        )?;
        let ready = || {
            interrupt::check()?;
            Ok(answers(&socket))
        };
        service.wait_until(START_PATIENCE, ready).with_context(|| {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let tail: Vec<&str> = text.lines().rev().take(5).collect();
            format!(
                "dockerd said: {}",
                tail.into_iter().rev().collect::<Vec<_>>().join(" | ")
            )
        })?;
        Ok(Docker {
            socket,
            own: Some((service, folder)),
        })
    }
}

/// Takes away the bridges of engines that were killed: their routes would swallow what is sent to
/// the containers of the next one. A living engine keeps its own, and one that comes back makes
/// them again.
fn sweep() {
    const HEX_DIGITS: usize = 12;
    let engines = Command::new("pgrep").args(["--exact", "dockerd"]).output();
    if engines.map_or(true, |found| !found.stdout.is_empty()) {
        return;
    }
    let Ok(interfaces) = std::fs::read_dir("/sys/class/net") else {
        return;
    };
    for interface in interfaces.flatten() {
        let name = interface.file_name().to_string_lossy().into_owned();
        let by_docker = name.strip_prefix("br-").is_some_and(|id| {
            id.len() == HEX_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let unused = std::fs::read_dir(interface.path().join("brif"))
            .is_ok_and(|mut ports| ports.next().is_none());
        if by_docker && unused {
            drop(Command::new("ip").args(["link", "delete", &name]).output());
        }
    }
}

/// `cargo xtask test-docker`
pub(crate) fn chore() -> Result<()> {
    interrupt::watch()?;
    machine::ensure(&[machine::DOCKERD, machine::DOCKER])?;
    let engine = Docker::start()?;
    println!("HATCHERY_TEST_DOCKER={}", engine.socket.display());
    eprintln!("Ctrl-C stops it.");
    interrupt::wait();
    Ok(())
}

fn answers(socket: &Path) -> bool {
    client(socket)
        .args(["version", "--format", "{{.Server.Version}}"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command line client of an engine.
fn client(socket: &Path) -> Command {
    let mut docker = Command::new("docker");
    docker
        .arg("--host")
        .arg(format!("unix://{}", socket.display()))
        .stdin(Stdio::null());
    docker
}
