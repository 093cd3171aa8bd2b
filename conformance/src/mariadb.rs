//! A throw-away MariaDB: the reference's database is loaded into it, and it is the database host of
//! the recorded world.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hatchery_e2e::{Service, free_port};
use rustix::process::Signal;
use tempfile::TempDir;

/// Whom the server runs as when we are root, which it refuses to be.
const USER: &str = "mysql";

const START_PATIENCE: Duration = Duration::from_mins(1);

/// A running MariaDB; gone when dropped.
#[derive(Debug)]
pub(crate) struct MariaDb {
    port: u16,
    socket: PathBuf,
    // In this order: the server ends before its folder goes.
    _service: Service,
    _folder: TempDir,
}

impl MariaDb {
    /// Starts a server that gives durability away for speed.
    pub(crate) fn start() -> Result<MariaDb> {
        let folder = tempfile::Builder::new()
            .prefix("hatchery-maria-")
            .tempdir()?;
        let user = rustix::process::geteuid().is_root().then_some(USER);
        if let Some(user) = user {
            let (uid, gid) = account(user)?;
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let data = folder.path().join("data");
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--auth-root-authentication-method=normal"]);
        install.args(["--skip-test-db", "--skip-name-resolve"]);
        install.arg(option("--datadir=", &data));
        if let Some(user) = user {
            install.arg(format!("--user={user}"));
        }
        let output = install
            .stdin(Stdio::null())
            .output()
            .context("mariadb-install-db")?;
        ensure!(
            output.status.success(),
            "mariadb-install-db: {}",
            String::from_utf8_lossy(&output.stderr)
        );

        let port = free_port()?;
        let socket = folder.path().join("socket");
        let port_option = format!("--port={port}");
        let options = [
            "--no-defaults".into(),
            option("--datadir=", &data),
            option("--socket=", &socket),
            OsString::from(port_option),
            "--bind-address=127.0.0.1".into(),
            "--skip-name-resolve".into(),
            "--innodb-flush-log-at-trx-commit=0".into(),
            "--innodb-doublewrite=0".into(),
            "--innodb-buffer-pool-size=32M".into(),
        ];
        let options: Vec<&OsStr> = options.iter().map(OsString::as_os_str).collect();
        let mut service = Service::start(
            "MariaDB",
            Path::new("/usr/sbin/mariadbd"),
            &options,
            user,
            Signal::TERM,
            |command| {
                command.stdout(Stdio::null()).stderr(Stdio::null());
            },
        )?;
        service.wait_until(START_PATIENCE, || {
            Ok(client(&socket)
                .arg("--execute=SELECT 1")
                .output()?
                .status
                .success())
        })?;
        Ok(MariaDb {
            port,
            socket,
            _service: service,
            _folder: folder,
        })
    }

    /// Where it listens.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements as root.
    pub(crate) fn run(&self, statements: &str) -> Result<String> {
        let mut child = client(&self.socket)
            .args(["--batch", "--skip-column-names"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child
            .stdin
            .take()
            .context("no way to the client")?
            .write_all(statements.as_bytes())?;
        finished(child.wait_with_output()?)
    }

    /// Loads a dump into `database`.
    pub(crate) fn load(&self, database: &str, dump: &Path) -> Result<()> {
        self.run(&format!("CREATE DATABASE `{database}`"))?;
        let output = client(&self.socket)
            .arg(database)
            .stdin(File::open(dump)?)
            .output()?;
        finished(output).map(drop)
    }
}

fn finished(output: std::process::Output) -> Result<String> {
    ensure!(
        output.status.success(),
        "MariaDB: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?)
}

fn client(socket: &Path) -> Command {
    let mut client = Command::new("mariadb");
    client
        .arg("--no-defaults")
        .arg(option("--socket=", socket))
        .arg("--user=root")
        .stdin(Stdio::null());
    client
}

fn option(name: &str, value: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}

fn account(user: &str) -> Result<(u32, u32)> {
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
