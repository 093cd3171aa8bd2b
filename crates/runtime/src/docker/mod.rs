//! Runs instances in containers of Docker, or of anything that speaks its API, such as Podman.
//!
//! The semantics are those of the reference's node daemon (node-protocol.md §5.9 and §6), so that
//! its images work unchanged: the image's own entry point reads `STARTUP` and becomes the game. A
//! container exists only while its instance does; how it ended is told once and then forgotten.

mod config;
mod console;
mod container;
mod engine;
mod image;
mod network;
mod script;
mod usage;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hatchery_ambient::Clock;
use hatchery_serverfs::{Owner, ServerDir};
use hatchery_vocab::{ServerUuid, Timestamp};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

pub use config::{DockerConfig, NetworkConfig, Registry, Subnet};

use self::console::Ends;
use self::engine::{Engine, EngineError, NOTHING, Terminal, encode};
use self::usage::Sample;
use crate::keeper::RING_BYTES;
use crate::{
    CONSOLE_DEPTH, Console, Exit, Found, InstallSpec, InstanceSpec, Job, ResourceLimits, Runtime,
    RuntimeError, Signal, Usage,
};

/// How many lines of an instance's log are read when it is found again.
const HISTORY_LINES: u32 = 1000;

/// The container runtime. Clones are the same runtime.
#[derive(Clone, Debug)]
pub struct DockerRuntime(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: DockerConfig,
    clock: Arc<dyn Clock>,
    engine: Engine,
    interface: IpAddr,
    /// The memory limits in bytes of the containers that we are attached to, by their names.
    attached: Mutex<HashMap<String, u64>>,
}

/// What we want to know of a container.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspection {
    state: State,
    #[serde(default)]
    host_config: HostConfig,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    running: bool,
    #[serde(default)]
    exit_code: i32,
    #[serde(rename = "OOMKilled", default)]
    oom_killed: bool,
    #[serde(default)]
    started_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    #[serde(default)]
    memory: u64,
}

impl DockerRuntime {
    /// Reaches the engine, agrees on a version and makes sure that the network exists. An error
    /// says that this machine has no engine that we can use.
    pub async fn connect(
        config: DockerConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RuntimeError> {
        let unusable = |error: EngineError| RuntimeError::Unsupported(error.to_string());
        let engine = Engine::connect(config.socket.clone())
            .await
            .map_err(unusable)?;
        let interface = network::ensure(&engine, &config.network)
            .await
            .map_err(unusable)?;
        Ok(Self(Arc::new(Shared {
            config,
            clock,
            engine,
            interface,
            attached: Mutex::default(),
        })))
    }

    async fn start_game(&self, spec: &InstanceSpec) -> Result<Console, RuntimeError> {
        let shared = &self.0;
        let name = container::name(spec.server, Job::Game);
        shared.make_room(&name).await?;
        give(&spec.root, shared.config.user).await?;
        let body = container::game(&shared.config, shared.interface, spec);
        shared.create(&name, &body).await?;
        self.begin(name, spec.limits.memory.bytes()).await
    }

    async fn start_installation(&self, spec: &InstallSpec) -> Result<Console, RuntimeError> {
        let shared = &self.0;
        let name = container::name(spec.server, Job::Install);
        shared.make_room(&name).await?;
        // Nobody watches a pull for an installation; a channel without a reader takes its lines.
        let (progress, _) = mpsc::channel(1);
        image::ensure(
            &shared.engine,
            &shared.config.registries,
            &spec.image,
            &progress,
        )
        .await?;
        shared
            .create(&name, &container::installation(&shared.config, spec))
            .await?;
        if let Err(error) = shared.bring_script(&name, &spec.script).await {
            shared.clean_up(&name).await;
            return Err(error.during("bringing the script into the container"));
        }
        self.begin(name, spec.limits.memory.bytes()).await
    }

    /// Attaches to a created container and starts it, in this order: no byte of it is missed.
    async fn begin(&self, name: String, memory_limit: u64) -> Result<Console, RuntimeError> {
        let shared = &self.0;
        let started = async {
            let terminal = shared
                .attach(&name)
                .await
                .map_err(|error| error.during("attaching to the container"))?;
            shared
                .engine
                .tell(Method::POST, &format!("/containers/{name}/start"), NOTHING)
                .await
                .map_err(|error| error.during("starting the container"))?;
            Ok(terminal)
        };
        match started.await {
            Ok(terminal) => Ok(self.watch(
                name,
                Some(terminal),
                Vec::new(),
                memory_limit,
                shared.clock.now(),
            )),
            Err(error) => {
                shared.clean_up(&name).await;
                Err(error)
            }
        }
    }

    /// Makes a console for a container and looks after it from now on.
    fn watch(
        &self,
        name: String,
        terminal: Option<Terminal>,
        history: Vec<u8>,
        memory_limit: u64,
        started_at: Timestamp,
    ) -> Console {
        let (input, input_end) = mpsc::channel(CONSOLE_DEPTH);
        let (output_end, output) = mpsc::channel(CONSOLE_DEPTH);
        let (exit_end, exit) = oneshot::channel();
        self.0.attached.lock().insert(name.clone(), memory_limit);
        let ends = Ends {
            input: input_end,
            output: output_end,
            exit: exit_end,
        };
        tokio::spawn(console::run(
            Arc::clone(&self.0),
            name,
            terminal,
            history,
            ends,
        ));
        Console {
            input,
            output,
            exit,
            started_at,
        }
    }

    async fn find(&self) -> Result<Vec<Found>, RuntimeError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Listed {
            #[serde(default)]
            names: Vec<String>,
        }
        let (label, value) = container::SERVICE;
        let filters = json!({"label": [format!("{label}={value}")]}).to_string();
        let path = format!("/containers/json?all=true&filters={}", encode(&filters));
        let listed: Vec<Listed> = self
            .0
            .engine
            .ask(Method::GET, &path, NOTHING)
            .await
            .map_err(|error| error.during("looking for containers"))?;
        let mut found = Vec::new();
        for (server, job) in listed
            .iter()
            .flat_map(|one| &one.names)
            .filter_map(|name| container::parse_name(name))
        {
            let name = container::name(server, job);
            if self.0.attached.lock().contains_key(&name) {
                continue;
            }
            match self.adopt(name).await {
                Ok(Some(console)) => found.push(Found {
                    server,
                    job,
                    console,
                }),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%server, %error, "a container that exists could not be adopted")
                }
            }
        }
        Ok(found)
    }

    /// Attaches to a container of an earlier time, with what its log still has. One that was never
    /// started is removed.
    async fn adopt(&self, name: String) -> Result<Option<Console>, EngineError> {
        let shared = &self.0;
        let inspection = shared.inspect(&name).await?;
        if inspection.state.status == "created" {
            shared.remove(&name).await?;
            return Ok(None);
        }
        // Attached before the log is read: what is printed in between is shown twice rather than
        // not at all.
        let terminal = if inspection.state.running {
            Some(shared.attach(&name).await?)
        } else {
            None
        };
        let history = shared.history(&name).await.unwrap_or_else(|error| {
            tracing::warn!(container = name, %error, "the log of a container could not be read");
            Vec::new()
        });
        let started_at = inspection
            .state
            .started_at
            .parse()
            .unwrap_or_else(|_| shared.clock.now());
        Ok(Some(self.watch(
            name,
            terminal,
            history,
            inspection.host_config.memory,
            started_at,
        )))
    }
}

impl Shared {
    /// Makes sure that the name is free. What an earlier crash left is removed; what runs stays.
    async fn make_room(&self, name: &str) -> Result<(), RuntimeError> {
        match self.inspect(name).await {
            Ok(inspection) if inspection.state.running => Err(RuntimeError::AlreadyRunning),
            Ok(_) => self
                .remove(name)
                .await
                .map_err(|error| error.during("removing an old container")),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.during("looking for an old container")),
        }
    }

    async fn create(&self, name: &str, body: &Value) -> Result<(), RuntimeError> {
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

    async fn bring_script(&self, name: &str, text: &str) -> Result<(), EngineError> {
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

    async fn inspect(&self, name: &str) -> Result<Inspection, EngineError> {
        self.engine
            .ask(Method::GET, &format!("/containers/{name}/json"), NOTHING)
            .await
    }

    async fn attach(&self, name: &str) -> Result<Terminal, EngineError> {
        self.engine
            .hijack(&format!(
                "/containers/{name}/attach?stream=1&stdin=1&stdout=1&stderr=1"
            ))
            .await
    }

    /// The terminal of a container that runs; nothing when it does not.
    async fn attach_if_running(&self, name: &str) -> Result<Option<Terminal>, EngineError> {
        if self.inspect(name).await?.state.running {
            self.attach(name).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// The last of what a container printed, as much as a console remembers.
    async fn history(&self, name: &str) -> Result<Vec<u8>, EngineError> {
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
    async fn exit_of(&self, name: &str) -> Result<Exit, EngineError> {
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
    async fn remove(&self, name: &str) -> Result<(), EngineError> {
        let path = format!("/containers/{name}?force=true&v=true");
        match self.engine.tell(Method::DELETE, &path, NOTHING).await {
            // Conflict: it is being removed already.
            Err(error) if error.is_not_found() || error.has_status(StatusCode::CONFLICT) => Ok(()),
            other => other,
        }
    }

    /// Removes a container that never came to run.
    async fn clean_up(&self, name: &str) {
        if let Err(error) = self.remove(name).await {
            tracing::warn!(container = name, %error, "a container that did not start could not be removed");
        }
    }

    async fn kill(&self, name: &str, signal: Signal) -> Result<(), RuntimeError> {
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

    fn forget(&self, name: &str) {
        self.attached.lock().remove(name);
    }
}

/// Gives the server's folder to the user that the container runs as.
async fn give(root: &Path, (uid, gid): (u32, u32)) -> Result<(), RuntimeError> {
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

impl Runtime for DockerRuntime {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn prepare<'a>(
        &'a self,
        spec: &'a InstanceSpec,
        progress: mpsc::Sender<String>,
    ) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move {
            image::ensure(
                &self.0.engine,
                &self.0.config.registries,
                &spec.image,
                &progress,
            )
            .await
        }
        .boxed()
    }

    fn start<'a>(&'a self, spec: &'a InstanceSpec) -> BoxFuture<'a, Result<Console, RuntimeError>> {
        self.start_game(spec).boxed()
    }

    /// The engine signals the container's first process only. In images whose entry point becomes
    /// the game that is the game; [`Signal::Kill`] ends the first process, and with it, as the
    /// kernel has it, every other process of the container.
    fn signal(
        &self,
        server: ServerUuid,
        signal: Signal,
    ) -> BoxFuture<'_, Result<(), RuntimeError>> {
        async move {
            self.0
                .kill(&container::name(server, Job::Game), signal)
                .await
        }
        .boxed()
    }

    fn usage(&self, server: ServerUuid) -> BoxFuture<'_, Result<Usage, RuntimeError>> {
        async move {
            let name = container::name(server, Job::Game);
            let limit = self
                .0
                .attached
                .lock()
                .get(&name)
                .copied()
                .ok_or(RuntimeError::NotFound)?;
            let path = format!("/containers/{name}/stats?stream=false&one-shot=true");
            let sample: Sample = match self.0.engine.ask(Method::GET, &path, NOTHING).await {
                Err(error) if error.is_not_found() => return Err(RuntimeError::NotFound),
                other => other.map_err(|error| error.during("reading the container's usage"))?,
            };
            if sample.is_empty() {
                Err(RuntimeError::NotFound)
            } else {
                Ok(sample.usage(limit))
            }
        }
        .boxed()
    }

    /// The engine cannot take a limit on memory or processors away from a running container: such
    /// changes wait for the next start.
    fn update_limits<'a>(
        &'a self,
        server: ServerUuid,
        limits: &'a ResourceLimits,
    ) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move {
            let name = container::name(server, Job::Game);
            let path = format!("/containers/{name}/update");
            let mut body = container::limits(limits);
            if let Value::Object(fields) = &mut body {
                // Decided at creation, and refused afterwards.
                fields.remove("OomKillDisable");
            }
            match self
                .0
                .engine
                .ask::<Value>(Method::POST, &path, Some(&body))
                .await
            {
                Err(error) if error.is_not_found() => return Err(RuntimeError::NotFound),
                other => other.map_err(|error| error.during("changing the container's limits"))?,
            };
            let memory = limits.memory.bytes();
            if let Some(known) = self.0.attached.lock().get_mut(&name).filter(|_| memory > 0) {
                *known = memory;
            }
            Ok(())
        }
        .boxed()
    }

    fn install<'a>(
        &'a self,
        spec: &'a InstallSpec,
    ) -> BoxFuture<'a, Result<Console, RuntimeError>> {
        self.start_installation(spec).boxed()
    }

    fn abort_install(&self, server: ServerUuid) -> BoxFuture<'_, Result<(), RuntimeError>> {
        async move {
            self.0
                .kill(&container::name(server, Job::Install), Signal::Kill)
                .await
        }
        .boxed()
    }

    fn destroy(&self, server: ServerUuid) -> BoxFuture<'_, Result<(), RuntimeError>> {
        async move {
            for job in [Job::Game, Job::Install] {
                let removed = self.0.remove(&container::name(server, job)).await;
                removed.map_err(|error| error.during("removing the container"))?;
            }
            Ok(())
        }
        .boxed()
    }

    fn reattach(&self) -> BoxFuture<'_, Result<Vec<Found>, RuntimeError>> {
        self.find().boxed()
    }

    fn host_address(&self) -> IpAddr {
        self.0.interface
    }
}
