//! The engine's containers: looking at them, making them, ending them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use hatchery_ambient::Clock;
use hatchery_serverfs::{Owner, ServerDir};
use hatchery_vocab::ServerUuid;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;

use super::config::DockerConfig;
use super::engine::{Engine, EngineError, NOTHING, Terminal};
use super::{container, script};
use crate::keeper::RING_BYTES;
use crate::{Exit, Job, RuntimeError, Signal};

/// How many lines of an instance's log are read when it is found again.
const HISTORY_LINES: u32 = 1000;

/// What all calls and all consoles of a runtime share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: DockerConfig,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) engine: Engine,
    pub(super) interface: IpAddr,
    /// The memory limits in bytes of the containers that we are attached to, by their names.
    pub(super) attached: Mutex<HashMap<String, u64>>,
}

/// What we want to know of a container.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspection {
    pub(super) state: State,
    #[serde(default)]
    pub(super) host_config: HostConfig,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct State {
    pub(super) status: String,
    pub(super) running: bool,
    #[serde(default)]
    pub(super) exit_code: i32,
    #[serde(rename = "OOMKilled", default)]
    pub(super) oom_killed: bool,
    #[serde(default)]
    pub(super) started_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HostConfig {
    #[serde(default)]
    pub(super) memory: u64,
}

impl Shared {
    /// Makes sure that the server has no instance, whatever for. What an earlier crash left is
    /// removed; what runs stays.
    pub(super) async fn make_room(&self, server: ServerUuid) -> Result<(), RuntimeError> {
        for name in [Job::Game, Job::Install].map(|job| container::name(server, job)) {
            match self.inspect(&name).await {
                Ok(inspection)
                    if inspection.state.running || self.attached.lock().contains_key(&name) =>
                {
                    return Err(RuntimeError::AlreadyRunning);
                }
                Ok(_) => {
                    self.remove(&name)
                        .await
                        .map_err(|error| error.during("removing an old container"))?;
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.during("looking for an old container")),
            }
        }
        Ok(())
    }

    /// The server's container that we are attached to, and its memory limit.
    pub(super) fn current(&self, server: ServerUuid) -> Result<(String, u64), RuntimeError> {
        let attached = self.attached.lock();
        let mut names = [Job::Game, Job::Install]
            .into_iter()
            .map(|job| container::name(server, job));
        names
            .find_map(|name| {
                attached
                    .get_key_value(&name)
                    .map(|(name, limit)| (name.clone(), *limit))
            })
            .ok_or(RuntimeError::NotFound)
    }

    pub(super) async fn create(&self, name: &str, body: &Value) -> Result<(), RuntimeError> {
        let path = format!("/containers/create?name={name}");
        match self
            .engine
            .ask::<Value>(Method::POST, &path, Some(body))
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Err(RuntimeError::Image {
                image: body["Image"].as_str().unwrap_or_default().to_owned(),
                reason: error.to_string(),
            }),
            Err(error) => Err(error.during("creating the container")),
        }
    }

    pub(super) async fn bring_script(&self, name: &str, text: &str) -> Result<(), EngineError> {
        let path = container::SCRIPT.trim_start_matches('/');
        let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
        let archive = script::archive(directory, file, text.as_bytes())
            .map_err(|error| EngineError::Malformed(error.to_string()))?;
        self.engine
            .put(
                &format!("/containers/{name}/archive?path=%2F"),
                "application/x-tar",
                archive,
            )
            .await
    }

    pub(super) async fn inspect(&self, name: &str) -> Result<Inspection, EngineError> {
        self.engine
            .ask(Method::GET, &format!("/containers/{name}/json"), NOTHING)
            .await
    }

    pub(super) async fn attach(&self, name: &str) -> Result<Terminal, EngineError> {
        self.engine
            .hijack(&format!(
                "/containers/{name}/attach?stream=1&stdin=1&stdout=1&stderr=1"
            ))
            .await
    }

    /// The terminal of a container that runs; nothing when it does not.
    pub(super) async fn attach_if_running(
        &self,
        name: &str,
    ) -> Result<Option<Terminal>, EngineError> {
        if self.inspect(name).await?.state.running {
            self.attach(name).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// The last of what a container printed, as much as a console remembers.
    pub(super) async fn history(&self, name: &str) -> Result<Vec<u8>, EngineError> {
        let path = format!("/containers/{name}/logs?stdout=1&stderr=1&tail={HISTORY_LINES}");
        let mut log = self.engine.stream(Method::GET, &path, &[]).await?;
        let mut history = Vec::new();
        while let Some(frame) = log.frame().await {
            let frame = frame.map_err(|error| EngineError::Malformed(error.to_string()))?;
            history.extend_from_slice(&frame.into_data().unwrap_or_default());
            let surplus = history.len().saturating_sub(RING_BYTES);
            history.drain(..surplus);
        }
        Ok(history)
    }

    /// Waits until a container does not run, and says how it ended.
    pub(super) async fn exit_of(&self, name: &str) -> Result<Exit, EngineError> {
        let path = format!("/containers/{name}/wait?condition=not-running");
        let ended = self.engine.stream(Method::POST, &path, &[]).await?;
        // The answer's body ends when the container has.
        ended
            .collect()
            .await
            .map_err(|error| EngineError::Malformed(error.to_string()))?;
        let State {
            exit_code,
            oom_killed,
            ..
        } = self.inspect(name).await?.state;
        Ok(Exit {
            code: exit_code,
            out_of_memory: oom_killed,
        })
    }

    /// Removes a container, running or not; one that is gone is fine.
    pub(super) async fn remove(&self, name: &str) -> Result<(), EngineError> {
        let path = format!("/containers/{name}?force=true&v=true");
        match self.engine.tell(Method::DELETE, &path, NOTHING).await {
            // Conflict: it is being removed already.
            Err(error) if error.is_not_found() || error.has_status(StatusCode::CONFLICT) => Ok(()),
            other => other,
        }
    }

    /// Removes a container that never came to run.
    pub(super) async fn clean_up(&self, name: &str) {
        if let Err(error) = self.remove(name).await {
            tracing::warn!(container = name, %error, "a container that did not start could not be removed");
        }
    }

    pub(super) async fn kill(&self, name: &str, signal: Signal) -> Result<(), RuntimeError> {
        let word = match signal {
            Signal::Abort => "SIGABRT",
            Signal::Interrupt => "SIGINT",
            Signal::Kill => "SIGKILL",
            Signal::Quit => "SIGQUIT",
            Signal::Terminate => "SIGTERM",
        };
        let path = format!("/containers/{name}/kill?signal={word}");
        match self.engine.tell(Method::POST, &path, NOTHING).await {
            // Conflict: it does not run.
            Err(error) if error.is_not_found() || error.has_status(StatusCode::CONFLICT) => {
                Err(RuntimeError::NotFound)
            }
            other => other.map_err(|error| error.during("sending a signal to the container")),
        }
    }

    pub(super) fn forget(&self, name: &str) {
        self.attached.lock().remove(name);
    }
}

/// Gives the server's folder to the user that the container runs as.
pub(super) async fn give(root: &Path, (uid, gid): (u32, u32)) -> Result<(), RuntimeError> {
    const ACTION: &str = "giving the server's folder to its user";
    let root = root.to_owned();
    let given = tokio::task::spawn_blocking(move || {
        if rustix::process::geteuid().is_root() {
            ServerDir::open(&root)?.give_to(Owner { uid, gid })
        } else {
            // Without privileges the folder is ours already, or the engine maps its user.
            Ok(())
        }
    });
    match given.await {
        Ok(outcome) => outcome.map_err(|error| RuntimeError::failed(ACTION, error)),
        Err(error) => Err(RuntimeError::failed(ACTION, error)),
    }
}
