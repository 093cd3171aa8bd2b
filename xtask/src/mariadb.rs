//! A throw-away MariaDB from the machine's own package: its data in a folder that goes with it,
//! its port free and on loopback only.

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use hatchery_e2e::{Service, free_port};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::postgres::{account, password};
use crate::{interrupt, machine, program};

/// Whom the server runs as when the chore is root, which MariaDB refuses to be.
const USER: &str = "mysql";

/// How long the server may take to answer.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// A running MariaDB; gone when dropped.
#[derive(Debug)]
pub(crate) struct MariaDb {
    /// How to reach it, as a user who may do everything. It names no database.
    pub url: String,
    // In this order: the server ends before its folder goes.
    _service: Service,
    _folder: TempDir,
}

impl MariaDb {
    /// Starts a server that gives durability away for speed.
    pub(crate) fn start() -> Result<MariaDb> {
        let server = server().context("MariaDB's server program is missing")?;
        let user = machine::is_root().then_some(USER);
        let folder = tempfile::Builder::new()
            .prefix("hatchery-mariadb-")
            .tempdir()?;
        let data = folder.path().join("data");
        let first_statements = folder.path().join("first.sql");
        let password = password()?;
        fs::write(
            &first_statements,
            format!(
                "CREATE USER hatchery@'127.0.0.1' IDENTIFIED BY '{password}';\n\
                 GRANT ALL PRIVILEGES ON *.* TO hatchery@'127.0.0.1' WITH GRANT OPTION;\n"
            ),
        )?;
        fs::set_permissions(&first_statements, fs::Permissions::from_mode(0o600))?;
        if let Some(user) = user {
            let (uid, gid) = account(user)?;
            chown(folder.path(), Some(uid), Some(gid))?;
            chown(&first_statements, Some(uid), Some(gid))?;
        }

        let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
        let mut install = Command::new("mariadb-install-db");
        install
            .args(["--no-defaults", "--skip-test-db"])
            .arg("--auth-root-authentication-method=normal")
            .arg(option("datadir", &data))
            .current_dir(folder.path());
        if let Some(user) = user {
            install.arg(format!("--user={user}"));
        }
        program::output(&mut install)?;

        let port = free_port()?;
        let arguments = [
            "--no-defaults".to_owned(),
            option("datadir", &data),
            option("socket", &folder.path().join("socket")),
            option("pid-file", &folder.path().join("pid")),
            option("init-file", &first_statements),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--port={port}"),
            "--skip-name-resolve".to_owned(),
            "--innodb-flush-log-at-trx-commit=0".to_owned(),
            "--innodb-buffer-pool-size=64M".to_owned(),
            "--max-connections=300".to_owned(),
        ];
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let mut service = Service::start(
            "MariaDB",
            &server,
            &arguments,
            user,
            Signal::TERM,
            |command| {
                command
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .current_dir(folder.path());
            },
        )?;
        // It listens once the first statements have run.
        service.wait_until(START_PATIENCE, || {
            interrupt::check()?;
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
        })?;
        Ok(MariaDb {
            url: format!("mysql://hatchery:{password}@127.0.0.1:{port}"),
            _service: service,
            _folder: folder,
        })
    }
}

/// The server's program.
pub(crate) fn server() -> Option<PathBuf> {
    let beside_debians = PathBuf::from("/usr/sbin/mariadbd");
    if beside_debians.is_file() {
        return Some(beside_debians);
    }
    program::find("mariadbd")
}
