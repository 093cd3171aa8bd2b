//! Runs instances as confined processes of this machine, without a container engine.
//!
//! Every instance has a [keeper](crate::keeper) that outlives this program. What is kept here is
//! only who is connected to which keeper; all else can be found again in the run folder.

mod config;
mod identities;
mod launch;
mod link;
mod plan;
mod start_line;

use std::collections::HashMap;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hatchery_ambient::Clock;
use hatchery_sandbox::{Cgroups, Group, GroupUsage, Identity, tree_usage};
use hatchery_serverfs::{Owner, ServerDir};
use hatchery_vocab::ServerUuid;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

pub use config::ProcessConfig;
pub use hatchery_sandbox::{Finding, Severity};

use crate::keeper::{Frame, InstanceRecord, Order, RunFolder};
use crate::{
    Console, Found, InstallSpec, InstanceSpec, Job, ResourceLimits, Runtime, RuntimeError, Signal,
    Usage,
};
use identities::Identities;

/// How long an instance may take to end after it was killed.
const KILL_DEADLINE: Duration = Duration::from_secs(10);

/// The process runtime. Clones are the same runtime.
#[derive(Clone, Debug)]
pub struct ProcessRuntime(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: ProcessConfig,
    clock: Arc<dyn Clock>,
    cgroups: Cgroups,
    /// This program, held open: replacing the file on the disk must not change what keepers are.
    executable: File,
    identities: Mutex<Identities>,
    instances: Mutex<HashMap<ServerUuid, Instance>>,
}

/// What is known of an instance that runs.
#[derive(Clone, Debug)]
struct Instance {
    job: Job,
    /// `None` while it is being started.
    link: Option<Link>,
}

/// A connection to a keeper.
#[derive(Clone, Debug)]
struct Link {
    commands: mpsc::Sender<Frame>,
    group: Option<Group>,
    /// The first process of the sandbox; zero until the keeper has told it.
    pid: Arc<AtomicI32>,
    memory_limit: Arc<AtomicU64>,
    /// Closes when the instance has ended and is forgotten.
    ended: watch::Receiver<()>,
}

/// What the machine lacks for running servers as processes, for `hatchery doctor`.
pub fn diagnose(cgroup_root: &Path) -> Vec<Finding> {
    hatchery_sandbox::diagnose(&Cgroups::of_this_process(cgroup_root))
}

impl ProcessRuntime {
    /// Makes the run folder and looks at the machine. Instances of an earlier start are found by
    /// [`Runtime::reattach`] only.
    pub fn new(mut config: ProcessConfig, clock: Arc<dyn Clock>) -> Result<Self, RuntimeError> {
        let failed = |action| move |error: std::io::Error| RuntimeError::failed(action, error);
        launch::make_private_folder(&config.run_dir).map_err(failed("making the run folder"))?;
        // Keepers have another working directory, and sandboxes another idea of links.
        config.run_dir = config
            .run_dir
            .canonicalize()
            .map_err(failed("finding the run folder"))?;
        config.hidden = config
            .hidden
            .iter()
            .filter_map(|path| path.canonicalize().ok())
            .collect();
        let executable =
            launch::open(&config.executable).map_err(failed("opening this program's file"))?;
        let identities = Identities::load(&config).map_err(failed("reading the servers' users"))?;
        let cgroups = Cgroups::of_this_process(&config.cgroup_root);
        Ok(Self(Arc::new(Inner {
            config,
            clock,
            cgroups,
            executable,
            identities: Mutex::new(identities),
            instances: Mutex::default(),
        })))
    }

    /// What the machine lacks.
    pub fn diagnose(&self) -> Vec<Finding> {
        hatchery_sandbox::diagnose(&self.0.cgroups)
    }

    /// Starts whatever `job` is: `plan` says what runs, and how it is announced.
    async fn launch(
        &self,
        server: ServerUuid,
        job: Job,
        limits: &ResourceLimits,
        build: impl FnOnce(&Inner) -> Result<(hatchery_sandbox::Plan, String), RuntimeError>
        + Send
        + 'static,
    ) -> Result<Console, RuntimeError> {
        let reservation = self.reserve(server, job)?;
        let inner = Arc::clone(&self.0);
        let limits = limits.clone();
        let (folder, record) = blocking(move || {
            let folder = inner.folder(server);
            if folder.connect().is_ok() {
                return Err(RuntimeError::AlreadyRunning);
            }
            let (mut plan, banner) = build(&inner)?;
            plan.home.source = (plan.home.source.canonicalize())
                .map_err(|error| RuntimeError::failed("finding the server's folder", error))?;
            let group = launch::make_group(&inner.cgroups, server, &limits)?;
            if !inner.cgroups.counts_processes() {
                plan.max_processes = Some(limits.pids);
            }
            let record = InstanceRecord {
                job,
                started_at: inner.clock.now().micros(),
                group: group.clone(),
                memory_limit: limits.memory.bytes(),
            };
            let failed = |error| RuntimeError::failed("making the instance's folder", error);
            folder.create().map_err(failed)?;
            folder.write_instance(&record).map_err(failed)?;
            let order = Order {
                server,
                job,
                started_at: record.started_at,
                folder: folder.path().to_owned(),
                group,
                plan,
                banner,
            };
            if let Err(error) = launch::launch(&inner.executable, &order) {
                launch::sweep(&folder, &record);
                return Err(error);
            }
            Ok((folder, record))
        })
        .await?;
        let console = link::attach(self, server, folder, record, Some(0)).await;
        reservation.keep();
        Ok(console)
    }

    fn reserve(&self, server: ServerUuid, job: Job) -> Result<Reservation, RuntimeError> {
        let mut instances = self.0.instances.lock();
        if instances.contains_key(&server) {
            return Err(RuntimeError::AlreadyRunning);
        }
        instances.insert(server, Instance { job, link: None });
        Ok(Reservation {
            runtime: Some(self.clone()),
            server,
        })
    }

    fn link(&self, server: ServerUuid) -> Result<(Job, Link), RuntimeError> {
        let instances = self.0.instances.lock();
        let instance = instances.get(&server).ok_or(RuntimeError::NotFound)?;
        let link = instance.link.clone().ok_or(RuntimeError::NotFound)?;
        Ok((instance.job, link))
    }

    /// Kills an instance and waits until it is gone.
    async fn kill(&self, link: Link) -> Result<(), RuntimeError> {
        let Link {
            commands,
            group,
            mut ended,
            ..
        } = link;
        let told = commands.send(Frame::Signal(Signal::Kill)).await.is_ok();
        let gone = async move { while ended.changed().await.is_ok() {} };
        if told && tokio::time::timeout(KILL_DEADLINE, gone).await.is_ok() {
            return Ok(());
        }
        // The keeper does not do its work: go past it.
        let killed = match group {
            Some(group) => blocking(move || Ok(group.kill_all())).await?,
            None => false,
        };
        if killed {
            Ok(())
        } else {
            Err(RuntimeError::failed(
                "killing the instance",
                "its keeper does not answer",
            ))
        }
    }
}

impl Inner {
    fn folder(&self, server: ServerUuid) -> RunFolder {
        RunFolder::new(self.config.run_dir.join(server.to_string()))
    }
}

/// Keeps a second start away while the first is under way.
struct Reservation {
    runtime: Option<ProcessRuntime>,
    server: ServerUuid,
}

impl Reservation {
    /// The instance runs, or has run and was forgotten.
    fn keep(mut self) {
        self.runtime = None;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(runtime) = &self.runtime {
            runtime.0.instances.lock().remove(&self.server);
        }
    }
}

impl Runtime for ProcessRuntime {
    fn name(&self) -> &'static str {
        "process"
    }

    fn prepare<'a>(
        &'a self,
        _spec: &'a InstanceSpec,
        _progress: mpsc::Sender<String>,
    ) -> BoxFuture<'a, Result<(), RuntimeError>> {
        // The machine's own programs are all there is.
        async { Ok(()) }.boxed()
    }

    fn start<'a>(&'a self, spec: &'a InstanceSpec) -> BoxFuture<'a, Result<Console, RuntimeError>> {
        async move {
            let owned = spec.clone();
            self.launch(spec.server, Job::Game, &spec.limits, move |inner| {
                let identity = inner.identities.lock().of(owned.server)?;
                give_folder(&owned.root, identity)?;
                Ok((
                    plan::game(&owned, &inner.config, identity),
                    start_line::announce(&owned),
                ))
            })
            .await
        }
        .boxed()
    }

    fn signal(
        &self,
        server: ServerUuid,
        signal: Signal,
    ) -> BoxFuture<'_, Result<(), RuntimeError>> {
        async move {
            let (_, link) = self.link(server)?;
            if link.commands.send(Frame::Signal(signal)).await.is_ok() {
                return Ok(());
            }
            match signal {
                Signal::Kill => self.kill(link).await,
                _ => Err(RuntimeError::NotFound),
            }
        }
        .boxed()
    }

    fn usage(&self, server: ServerUuid) -> BoxFuture<'_, Result<Usage, RuntimeError>> {
        async move {
            let (_, link) = self.link(server)?;
            let pid = link.pid.load(Ordering::Relaxed);
            let usage = match link.group {
                Some(group) => blocking(move || Ok(group.usage())).await?,
                None if pid > 0 => blocking(move || Ok(tree_usage(pid))).await?,
                None => GroupUsage::default(),
            };
            Ok(Usage {
                memory_bytes: usage.memory_bytes,
                memory_limit_bytes: link.memory_limit.load(Ordering::Relaxed),
                cpu_nanos: usage.cpu_nanos,
                // The network is the machine's own, shared by all servers.
                network_rx_bytes: 0,
                network_tx_bytes: 0,
            })
        }
        .boxed()
    }

    fn update_limits<'a>(
        &'a self,
        server: ServerUuid,
        limits: &'a ResourceLimits,
    ) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move {
            let (_, link) = self.link(server)?;
            let Some(group) = link.group else {
                return Ok(());
            };
            let wanted = launch::group_limits(limits);
            let failures = blocking(move || Ok(group.apply(&wanted))).await?;
            if !failures.is_empty() {
                return Err(RuntimeError::failed(
                    "changing the limits",
                    failures.join("; "),
                ));
            }
            link.memory_limit
                .store(limits.memory.bytes(), Ordering::Relaxed);
            Ok(())
        }
        .boxed()
    }

    fn install<'a>(
        &'a self,
        spec: &'a InstallSpec,
    ) -> BoxFuture<'a, Result<Console, RuntimeError>> {
        async move {
            let owned = spec.clone();
            self.launch(spec.server, Job::Install, &spec.limits, move |inner| {
                let identity = inner.identities.lock().of(owned.server)?;
                give_folder(&owned.root, identity)?;
                Ok((
                    plan::install(&owned, &inner.config, identity),
                    String::new(),
                ))
            })
            .await
        }
        .boxed()
    }

    fn abort_install(&self, server: ServerUuid) -> BoxFuture<'_, Result<(), RuntimeError>> {
        async move {
            match self.link(server)? {
                (Job::Install, link) => self.kill(link).await,
                (Job::Game, _) => Err(RuntimeError::NotFound),
            }
        }
        .boxed()
    }

    fn destroy(&self, server: ServerUuid) -> BoxFuture<'_, Result<(), RuntimeError>> {
        async move {
            match self.link(server) {
                Ok((_, link)) => self.kill(link).await?,
                Err(RuntimeError::NotFound) => {}
                Err(error) => return Err(error),
            }
            let inner = Arc::clone(&self.0);
            blocking(move || {
                let failed = |error| RuntimeError::failed("forgetting the server", error);
                inner.folder(server).remove().map_err(failed)?;
                inner.identities.lock().forget(server).map_err(failed)
            })
            .await
        }
        .boxed()
    }

    fn reattach(&self) -> BoxFuture<'_, Result<Vec<Found>, RuntimeError>> {
        async move {
            let inner = Arc::clone(&self.0);
            let folders = blocking(move || {
                launch::instances(&inner.config.run_dir)
                    .map_err(|error| RuntimeError::failed("reading the run folder", error))
            })
            .await?;
            let mut found = Vec::new();
            for (server, folder, record) in folders {
                let Ok(reservation) = self.reserve(server, record.job) else {
                    continue;
                };
                let job = record.job;
                let console = link::attach(self, server, folder, record, None).await;
                reservation.keep();
                found.push(Found {
                    server,
                    job,
                    console,
                });
            }
            Ok(found)
        }
        .boxed()
    }

    fn host_address(&self) -> IpAddr {
        // Servers share the machine's network.
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    }
}

/// Gives a server's folder and all that is in it to the server's user. Without root there is
/// nobody to give it to.
fn give_folder(root: &Path, identity: Identity) -> Result<(), RuntimeError> {
    let failed = |error| RuntimeError::failed("giving the server's folder to its user", error);
    let folder = ServerDir::open(root).map_err(failed)?;
    if identity.user_namespace {
        return Ok(());
    }
    folder
        .give_to(Owner {
            uid: identity.uid,
            gid: identity.gid,
        })
        .map_err(failed)
}

/// Runs what waits for the kernel or the disk away from the async runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RuntimeError> + Send + 'static,
) -> Result<T, RuntimeError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(RuntimeError::failed("working in the background", error)))
}
