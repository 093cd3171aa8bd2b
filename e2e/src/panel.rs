//! A whole panel in a throw-away folder: the real binary, its command line and its address.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Client, Service, free_port};

/// How long a panel may take to be ready. Far above what it needs: the machine may be busy.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// How long a killed game may take to be gone.
const END_PATIENCE: Duration = Duration::from_secs(30);

/// What runs the games.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Confined processes.
    Process,
    /// Containers of the engine at this socket.
    Docker(PathBuf),
}

/// How to start a panel.
#[derive(Clone, Debug)]
pub struct Options {
    /// The `hatchery` binary.
    pub binary: PathBuf,
    /// What runs the games.
    pub engine: Engine,
    /// Further settings, as environment.
    pub environment: Vec<(String, String)>,
}

/// A running panel. Its folder goes with it.
#[derive(Debug)]
pub struct Panel {
    options: Options,
    address: SocketAddr,
    /// `None` after a kill, until the next start.
    service: Option<Service>,
    /// How long the last start took until the panel was ready.
    started_in: Duration,
    /// The key of an administrator, once there is one: ends the games when the panel is dropped.
    admin: Option<String>,
    folder: TempDir,
}

impl Panel {
    /// The password of every user that [`Panel::user`] creates.
    pub const PASSWORD: &str = "correct-horse-battery";

    /// Starts a panel with an empty folder and waits until it is ready.
    pub fn start(options: Options) -> Result<Panel> {
        let folder = tempfile::Builder::new()
            .prefix("hatchery-panel-")
            .tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut panel = Panel {
            options,
            address,
            service: None,
            started_in: Duration::ZERO,
            admin: None,
            folder,
        };
        panel.start_again()?;
        Ok(panel)
    }

    /// Starts the panel on its folder and address, after [`Panel::kill`] or [`Panel::stop`].
    pub fn start_again(&mut self) -> Result<()> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())?;
        let errors = log.try_clone()?;
        let data = self.data();
        let listen = self.address.to_string();
        let arguments = ["serve", "--listen", &listen, "--data-dir"].map(OsStr::new);
        let arguments: Vec<&OsStr> = arguments.into_iter().chain([data.as_os_str()]).collect();
        let start = Instant::now();
        let mut service = Service::start(
            "the panel",
            &self.options.binary,
            &arguments,
            None,
            Signal::TERM,
            |command| {
                command.envs(self.environment()).stdout(log).stderr(errors);
            },
        )?;
        let client = self.client(None);
        service
            .wait_until(START_PATIENCE, || {
                Ok(client
                    .get("/ready")
                    .is_ok_and(|answer| answer.status == 200))
            })
            .with_context(|| format!("the panel said: {}", self.log_tail()))?;
        self.started_in = start.elapsed();
        self.service = Some(service);
        Ok(())
    }

    /// Changes a setting from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        let setting = (name.to_owned(), value.to_owned());
        self.options.environment.push(setting);
    }

    /// `kill -9`
    pub fn kill(&mut self) -> Result<()> {
        let service = self.service.take().context("the panel does not run")?;
        service.kill().map(drop)
    }

    /// Stops the panel in order. Games go on.
    pub fn stop(&mut self) -> Result<()> {
        let service = self.service.take().context("the panel does not run")?;
        let status = service.stop()?;
        if !status.success() {
            bail!(
                "the panel ended with {status}; it said: {}",
                self.log_tail()
            );
        }
        Ok(())
    }

    /// Runs a sub-command on the panel's folder and gives back its standard output.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.options.binary)
            .args(arguments)
            .arg("--data-dir")
            .arg(self.data())
            .envs(self.environment())
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            bail!(
                "`hatchery {}` failed: {}",
                arguments.join(" "),
                complaint.trim()
            );
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// [`Panel::run`] with `--json`.
    pub fn run_json(&self, arguments: &[&str]) -> Result<Value> {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let text = self.run(&arguments)?;
        serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))
    }

    /// Creates a user and gives back a client key of theirs.
    pub fn user(&mut self, name: &str, admin: bool) -> Result<String> {
        let email = format!("{name}@example.com");
        let mut arguments = vec!["user", "create", "--username", name, "--email", &email];
        arguments.extend(["--password", Panel::PASSWORD]);
        if admin {
            arguments.push("--admin");
        }
        self.run(&arguments)?;
        let key = self.run(&[
            "api-key",
            "create",
            "--user",
            name,
            "--description",
            "tests",
        ])?;
        if admin {
            self.admin = Some(key.clone());
        }
        Ok(key)
    }

    /// Kills every game: they would outlive the panel.
    fn end_games(&self) -> Result<()> {
        let Some(key) = &self.admin else {
            return Ok(());
        };
        let client = self.client(Some(key));
        let list = client
            .get("/api/client?type=admin-all&per_page=100")?
            .expect_json(200)?;
        let own = client.get("/api/client?per_page=100")?.expect_json(200)?;
        let servers = [&list, &own]
            .into_iter()
            .filter_map(|list| list["data"].as_array());
        for server in servers.flatten() {
            let id = server["attributes"]["identifier"]
                .as_str()
                .unwrap_or_default();
            let path = format!("/api/client/servers/{id}");
            let kill = serde_json::json!({ "signal": "kill" });
            // A server that cannot be killed (it is being installed, say) does not run.
            if client.post(&format!("{path}/power"), &kill)?.status == 204 {
                Self::wait_until_offline(&client, &path)?;
            }
        }
        Ok(())
    }

    /// `/resources` may be 20 s old, but a command to a server that is offline is refused.
    fn wait_until_offline(client: &Client, server: &str) -> Result<()> {
        let deadline = Instant::now() + END_PATIENCE;
        let command = serde_json::json!({ "command": "help" });
        while Instant::now() < deadline {
            if client.post(&format!("{server}/command"), &command)?.status == 502 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("a game did not end: {server}")
    }

    /// A client with a key, or with none.
    pub fn client(&self, key: Option<&str>) -> Client {
        Client::new(self.address, key)
    }

    /// Where the panel listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the panel is, for a browser.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The panel's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder beside the panel's, gone with it.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// How long the last start took until the panel was ready.
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// The panel's process, while it runs.
    pub fn process(&self) -> Option<u32> {
        self.service.as_ref().map(Service::id)
    }

    /// All that the panel printed so far, over all its starts.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The last lines that the panel printed.
    pub fn log_tail(&self) -> String {
        let text = self.log();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("panel.log")
    }

    fn environment(&self) -> Vec<(String, String)> {
        let mut environment = match &self.options.engine {
            Engine::Process => vec![("HATCHERY_NODE_RUNTIME".to_owned(), "process".to_owned())],
            Engine::Docker(socket) => vec![
                ("HATCHERY_NODE_RUNTIME".to_owned(), "docker".to_owned()),
                (
                    "HATCHERY_NODE_DOCKER_SOCKET".to_owned(),
                    socket.display().to_string(),
                ),
            ],
        };
        environment.extend(self.options.environment.iter().cloned());
        environment
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        if self.service.is_none() && self.start_again().is_err() {
            return;
        }
        // Nobody is left to tell.
        drop(self.end_games());
    }
}
