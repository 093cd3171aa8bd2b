//! A throw-away PostgreSQL from the machine's own package: its data in a folder that goes with it,
//! its port free and on loopback only. Beside it, for the same tests, MariaDB (see `mariadb`).

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use hatchery_e2e::{Service, free_port};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::mariadb::MariaDb;
use crate::{interrupt, machine, program};

/// Whom the server runs as when the chore is root, which PostgreSQL refuses to be.
const USER: &str = "postgres";

/// How long the server may take to answer.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// A running PostgreSQL; gone when dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// How to reach it.
    pub url: String,
    // In this order: the server ends before its folder goes.
    _service: Service,
    _folder: TempDir,
}

impl Postgres {
    /// Starts a server that gives durability away for speed.
    pub(crate) fn start() -> Result<Postgres> {
        let programs = programs().context("PostgreSQL's server programs are missing")?;
        let user = machine::is_root().then_some(USER);
        let folder = tempfile::Builder::new()
            .prefix("hatchery-postgres-")
            .tempdir()?;
        let data = folder.path().join("data");
        let password_file = folder.path().join("password");
        let password = password()?;
        fs::write(&password_file, &password)?;
        if let Some(user) = user {
            let (uid, gid) = account(user)?;
            chown(folder.path(), Some(uid), Some(gid))?;
            chown(&password_file, Some(uid), Some(gid))?;
        }
        fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600))?;

        let mut initdb = as_user(user, &programs.join("initdb"));
        initdb
            .arg("--pgdata")
            .arg(&data)
            .arg("--pwfile")
            .arg(&password_file);
        initdb.args(["--username=hatchery", "--auth=password", "--encoding=UTF8"]);
        initdb
            .args(["--locale=C.UTF-8", "--no-sync"])
            .current_dir(folder.path());
        program::output(&mut initdb)?;

        let port = free_port()?;
        let sockets = format!("unix_socket_directories={}", folder.path().display());
        let port_text = port.to_string();
        let arguments = [
            "-D",
            path_text(&data)?,
            "-p",
            &port_text,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            &sockets,
            "-c",
            "fsync=off",
            "-c",
            "full_page_writes=off",
            "-c",
            "max_connections=300",
            "-c",
            "shared_buffers=64MB",
            "-c",
            "log_min_messages=fatal",
        ]
        .map(std::ffi::OsStr::new);
        let mut service = Service::start(
            "PostgreSQL",
            &programs.join("postgres"),
            &arguments,
            user,
            Signal::INT,
            |command| {
                command
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .current_dir(folder.path());
            },
        )?;
        service.wait_until(START_PATIENCE, || {
            interrupt::check()?;
            let status = Command::new(programs.join("pg_isready"))
                .args(["--quiet", "--host=127.0.0.1", "--port", &port_text])
                .status()?;
            Ok(status.success())
        })?;
        let url = format!("postgres://hatchery:{password}@127.0.0.1:{port}/postgres");
        Ok(Postgres {
            url,
            _service: service,
            _folder: folder,
        })
    }
}

/// `cargo xtask test-db`
pub(crate) fn chore() -> Result<()> {
    interrupt::watch()?;
    machine::ensure(&[machine::POSTGRES, machine::MARIADB])?;
    let postgres = Postgres::start()?;
    let mariadb = MariaDb::start()?;
    println!("HATCHERY_TEST_POSTGRES={}", postgres.url);
    println!("HATCHERY_TEST_MARIADB={}", mariadb.url);
    eprintln!("PostgreSQL and MariaDB run; Ctrl-C stops them.");
    interrupt::wait();
    Ok(())
}

/// The folder with the newest version's programs.
pub(crate) fn programs() -> Option<PathBuf> {
    let beside_debians = fs::read_dir("/usr/lib/postgresql")
        .ok()
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.join("postgres").is_file())
        .max();
    match beside_debians {
        Some((_, folder)) => Some(folder),
        None => program::find("initdb")?.parent().map(Path::to_path_buf),
    }
}

/// A password that nobody knows.
pub(crate) fn password() -> Result<String> {
    // A random number as the kernel writes it, without reaching for a generator of our own.
    let random = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    Ok(random.trim().to_owned())
}

/// The numbers of a user and of their group.
pub(crate) fn account(user: &str) -> Result<(u32, u32)> {
    let accounts = fs::read_to_string("/etc/passwd")?;
    accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find_map(|fields| match fields.as_slice() {
            [name, _, uid, gid, ..] if *name == user => {
                Some((uid.parse().ok()?, gid.parse().ok()?))
            }
            _ => None,
        })
        .with_context(|| format!("this machine has no user {user}"))
}

fn as_user(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", user, "--regid", user, "--init-groups", "--"])
        .arg(program);
    command
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not text", path.display()))
}
