//! Runs instances in containers of Docker, or of anything that speaks its API, such as Podman.
//!
//! The semantics are those of the reference's node daemon (node-protocol.md §5.9 and §6), so that
//! its images work unchanged: the image's own entry point reads `STARTUP` and becomes the game. A
//! container exists only while its instance does; how it ended is told once and then forgotten.

mod config;
mod console;
mod container;
mod containers;
mod engine;
mod image;
mod network;
mod script;
mod usage;

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hatchery_ambient::Clock;
use hatchery_vocab::{ServerUuid, Timestamp};
use http::Method;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

pub use config::{DockerConfig, NetworkConfig, Registry, Subnet};

use self::console::Ends;
use self::containers::{Shared, give};
use self::engine::{Engine, EngineError, NOTHING, Terminal, encode};
use self::usage::Sample;
use crate::{
    CONSOLE_DEPTH, Console, Found, InstallSpec, InstanceSpec, Job, ResourceLimits, Runtime,
    RuntimeError, Signal, Usage,
};

/// The container runtime. Clones are the same runtime.
#[derive(Clone, Debug)]
pub struct DockerRuntime(Arc<Shared>);

impl DockerRuntime {
    /// Reaches the engine, agrees on a version and makes sure that the network exists. An error
    /// says that this machine has no engine that we can use.
    pub async fn connect(
        mut config: DockerConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RuntimeError> {
        let unusable = |error: EngineError| RuntimeError::Unsupported(error.to_string());
        let engine = Engine::connect(config.socket.clone())
            .await
            .map_err(unusable)?;
        if !knows_log_driver(&engine, &config.log_driver)
            .await
            .map_err(unusable)?
        {
            tracing::info!(
                driver = config.log_driver,
                "the engine lacks this log driver; its own is used"
            );
            config.log_driver.clear();
        }
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
        shared.make_room(spec.server).await?;
        give(&spec.root, shared.config.user).await?;
        let body = container::game(&shared.config, shared.interface, spec);
        shared.create(&name, &body).await?;
        self.begin(name, spec.limits.memory.bytes()).await
    }

    async fn start_installation(&self, spec: &InstallSpec) -> Result<Console, RuntimeError> {
        let shared = &self.0;
        let name = container::name(spec.server, Job::Install);
        shared.make_room(spec.server).await?;
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
        let label = format!("{}={}", container::NODE, self.0.config.node);
        let filters = json!({"label": [label]}).to_string();
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
                    tracing::error!(%server, %error, "a container that exists could not be adopted");
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

/// Whether the engine has a log driver of this name; Podman has other ones than Docker.
async fn knows_log_driver(engine: &Engine, driver: &str) -> Result<bool, EngineError> {
    let information: Value = engine.ask(Method::GET, "/info", NOTHING).await?;
    let known = information["Plugins"]["Log"].as_array();
    // An engine that does not tell is taken at the administrator's word.
    Ok(known.is_none_or(|known| known.iter().any(|name| name == driver)))
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
            let (name, _) = self.0.current(server)?;
            self.0.kill(&name, signal).await
        }
        .boxed()
    }

    fn usage(&self, server: ServerUuid) -> BoxFuture<'_, Result<Usage, RuntimeError>> {
        async move {
            let (name, limit) = self.0.current(server)?;
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
            let (name, _) = self.0.current(server)?;
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
                // Older versions of Podman have no such call.
                Err(error) if error.is_not_found() => {
                    return Err(RuntimeError::Unsupported(
                        "the container engine cannot change the limits of a running container: \
                         they hold from the next start"
                            .to_owned(),
                    ));
                }
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
