//! `hatchery doctor`: what the machine has and what it lacks, one line each with its remedy.

use std::fmt::Display;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

use hatchery_ambient::{Clock, SystemClock};
use hatchery_config::{Database, RuntimeChoice, Settings};
use hatchery_runtime::process::{self, Severity};
use hatchery_vocab::{MiB, Timestamp};
use serde_json::{Value, json};

use super::output::{Failure, Output};
use crate::data_dir::{DataDir, DataDirError};

/// Less free disk than this deserves a warning.
const LITTLE_DISK: MiB = MiB::new(2048);
/// How many game ports are tried.
const PORTS_TRIED: usize = 10;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Good,
    Warning,
    Bad,
}

/// One line of the report.
#[derive(Debug)]
struct Finding {
    what: &'static str,
    level: Level,
    seen: String,
    /// How to mend it; empty when nothing needs to be.
    remedy: String,
}

impl Finding {
    fn good(what: &'static str, seen: impl Display) -> Self {
        Self {
            what,
            level: Level::Good,
            seen: seen.to_string(),
            remedy: String::new(),
        }
    }

    fn warning(what: &'static str, seen: impl Display, remedy: impl Display) -> Self {
        Self {
            what,
            level: Level::Warning,
            seen: seen.to_string(),
            remedy: remedy.to_string(),
        }
    }

    fn bad(what: &'static str, seen: impl Display, remedy: impl Display) -> Self {
        Self {
            what,
            level: Level::Bad,
            seen: seen.to_string(),
            remedy: remedy.to_string(),
        }
    }

    fn line(&self) -> String {
        let mark = match self.level {
            Level::Good => "ok  ",
            Level::Warning => "warn",
            Level::Bad => "FAIL",
        };
        let remedy = if self.remedy.is_empty() {
            String::new()
        } else {
            format!(" → {}", self.remedy)
        };
        format!("{mark}  {:<12}  {}{remedy}", self.what, self.seen)
    }

    fn json(&self) -> Value {
        let level = match self.level {
            Level::Good => "ok",
            Level::Warning => "warning",
            Level::Bad => "error",
        };
        json!({ "check": self.what, "level": level, "seen": self.seen, "remedy": self.remedy })
    }
}

pub(super) fn run(settings: &Settings, output: Output) -> Result<(), Failure> {
    let mut findings = vec![
        data_folder(settings),
        disk(settings),
        database(settings),
        clock(),
    ];
    findings.extend(runtime());
    findings.extend([
        containers(settings),
        listen_port(settings),
        game_ports(settings),
    ]);
    let lines: Vec<String> = findings.iter().map(Finding::line).collect();
    output.answer(
        lines.join("\n"),
        &findings.iter().map(Finding::json).collect(),
    )?;
    match findings
        .iter()
        .filter(|finding| finding.level == Level::Bad)
        .count()
    {
        0 => Ok(()),
        1 => Err(Failure::new(
            "one thing must be mended before the panel can run",
        )),
        several => Err(Failure::new(format!(
            "{several} things must be mended before the panel can run"
        ))),
    }
}

fn data_folder(settings: &Settings) -> Finding {
    const WHAT: &str = "data folder";
    let data_dir = match DataDir::prepare(settings) {
        Ok(data_dir) => data_dir,
        Err(error) => {
            return Finding::bad(
                WHAT,
                error,
                "give its owner write access, or take another one",
            );
        }
    };
    let path = data_dir.path().display();
    match data_dir.lock() {
        Ok(_) => Finding::good(WHAT, format!("{path} is ours")),
        Err(DataDirError::InUse { .. }) => {
            Finding::good(WHAT, format!("{path} is used by a running panel"))
        }
        Err(error) => Finding::bad(
            WHAT,
            error,
            "give its owner write access, or take another one",
        ),
    }
}

fn disk(settings: &Settings) -> Finding {
    const WHAT: &str = "disk";
    match rustix::fs::statvfs(&settings.data_dir) {
        Err(error) => Finding::warning(
            WHAT,
            format!("cannot ask for free space: {error}"),
            "check it with `df`",
        ),
        Ok(disk) => {
            let free = MiB::new(disk.f_bavail.saturating_mul(disk.f_frsize) / MiB::new(1).bytes());
            let seen = format!("{free} free");
            if free < LITTLE_DISK {
                Finding::warning(
                    WHAT,
                    seen,
                    "make room: a full disk stops game servers and the database",
                )
            } else {
                Finding::good(WHAT, seen)
            }
        }
    }
}

fn database(settings: &Settings) -> Finding {
    match &settings.database {
        Database::Postgres(_) => Finding::good(
            "database",
            "PostgreSQL; `hatchery user list` tries to reach it",
        ),
        Database::File(path) => Finding::good("database", format!("SQLite in {}", path.display())),
        Database::Default => Finding::good("database", "SQLite in the data folder"),
    }
}

fn clock() -> Finding {
    const WHAT: &str = "clock";
    /// The start of 2026, before which this program did not exist.
    const BUILT_AFTER: Timestamp = Timestamp::from_seconds(1_767_225_600);
    let now = SystemClock.now();
    if now < BUILT_AFTER {
        let remedy = "turn on time synchronisation, such as `timedatectl set-ntp true`: keys and codes depend on it";
        Finding::bad(WHAT, now.iso_utc(), remedy)
    } else {
        Finding::good(WHAT, now.iso_utc())
    }
}

/// What running games as processes needs.
fn runtime() -> Vec<Finding> {
    let found = process::diagnose(Path::new("/sys/fs/cgroup"));
    let finding = |found: process::Finding| Finding {
        what: found.subject,
        level: match found.severity {
            Severity::Good => Level::Good,
            Severity::Warning => Level::Warning,
            Severity::Error => Level::Bad,
        },
        seen: found.text,
        remedy: String::new(),
    };
    found.into_iter().map(finding).collect()
}

fn containers(settings: &Settings) -> Finding {
    const WHAT: &str = "containers";
    let socket = settings.node.docker_socket.display();
    let answers = std::os::unix::net::UnixStream::connect(&settings.node.docker_socket);
    match (answers, settings.node.runtime) {
        (Ok(_), _) => Finding::good(WHAT, format!("an engine answers at {socket}")),
        (Err(error), RuntimeChoice::Docker) => Finding::bad(
            WHAT,
            format!("no engine answers at {socket} ({error})"),
            "start Docker or Podman, set node.docker_socket, or set node.runtime to process",
        ),
        (Err(_), _) => Finding::good(
            WHAT,
            format!("no engine at {socket}: games run as sandboxed processes"),
        ),
    }
}

fn listen_port(settings: &Settings) -> Finding {
    const WHAT: &str = "panel port";
    match TcpListener::bind(settings.listen) {
        Ok(_) => Finding::good(WHAT, format!("{} is free", settings.listen)),
        Err(error) => Finding::warning(
            WHAT,
            format!("{}: {error}", settings.listen),
            "a running panel may have it; else choose another with --listen",
        ),
    }
}

fn game_ports(settings: &Settings) -> Finding {
    const WHAT: &str = "game ports";
    let ports = settings
        .node
        .ports
        .ranges()
        .iter()
        .flat_map(|range| range.first.get()..=range.last.get());
    let taken: Vec<String> = ports
        .take(PORTS_TRIED)
        .filter(|port| {
            let address = SocketAddr::new(settings.node.address, *port);
            TcpListener::bind(address).is_err() || UdpSocket::bind(address).is_err()
        })
        .map(|port| port.to_string())
        .collect();
    if settings.node.ports.ranges().is_empty() {
        Finding::warning(WHAT, "none are set", "set node.ports, such as 25565-25600")
    } else if taken.is_empty() {
        Finding::good(
            WHAT,
            format!("the first ones on {} are free", settings.node.address),
        )
    } else {
        let remedy = "game servers may be running; else end what uses them or set node.ports";
        Finding::warning(
            WHAT,
            format!("in use on {}: {}", settings.node.address, taken.join(", ")),
            remedy,
        )
    }
}
