//! The stand-in node: how it is told to behave, and what it was asked.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hatchery_e2e::{Client, Service, free_port};
use rustix::process::Signal;
use serde_json::{Value, json};

const START_PATIENCE: Duration = Duration::from_secs(30);

/// How long a request that the recording has may take to reach the node after the answer.
const LATE: Duration = Duration::from_secs(2);

/// How often to look for it.
const POLL: Duration = Duration::from_millis(5);

/// A running stand-in.
#[derive(Debug)]
pub(crate) struct Node {
    port: u16,
    client: Client,
    _service: Service,
}

impl Node {
    pub(crate) fn start(script: &Path) -> Result<Node> {
        let port = free_port()?;
        let text = port.to_string();
        let arguments = [script.as_os_str(), OsStr::new(&text)];
        let mut service = Service::start(
            "the stand-in node",
            Path::new("python3"),
            &arguments,
            None,
            Signal::TERM,
            |command| {
                command.stdout(Stdio::null());
            },
        )?;
        let client = Client::new(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), None);
        let probe = &client;
        service.wait_until(START_PATIENCE, || Ok(drain(probe).is_ok()))?;
        Ok(Node {
            port,
            client,
            _service: service,
        })
    }

    /// Where it listens; recordings say 18080.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Tells it how to behave, and forgets what it was asked.
    pub(crate) fn behave(&self, mode: Option<&Value>) -> Result<()> {
        let usual = json!({});
        self.client
            .post("/__ctl", mode.unwrap_or(&usual))?
            .expect(200)?;
        drain(&self.client).map(drop)
    }

    /// What it was asked since; waits a little where that is less than `expected`.
    pub(crate) fn requests(&self, expected: usize) -> Result<Vec<Value>> {
        let deadline = Instant::now() + LATE;
        let mut requests = drain(&self.client)?;
        while requests.len() < expected && Instant::now() < deadline {
            std::thread::sleep(POLL);
            requests.extend(drain(&self.client)?);
        }
        Ok(requests)
    }
}

fn drain(client: &Client) -> Result<Vec<Value>> {
    let log = client.get("/__log")?.expect_json(200)?;
    let requests = log.as_array().context("the stand-in's log is no list")?;
    Ok(requests.clone())
}
