//! A scripted runtime for tests of the node: nothing runs, the test plays the game.
//!
//! A test waits for a start with [`FakeRuntime::next_start`] and then drives the instance through
//! its [`FakeInstance`]: prints, reads what was typed, sees signals, decides the exit. It knows
//! nothing of the node's states.

mod instance;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hatchery_ambient::Clock;
use hatchery_vocab::ServerUuid;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

pub use instance::{FakeInstance, Started};

use crate::{
    Console, Exit, Found, InstallSpec, InstanceSpec, Job, ResourceLimits, Runtime, RuntimeError,
    Signal, Usage,
};

/// A runtime that runs nothing. Clones are the same runtime.
#[derive(Clone, Debug)]
pub struct FakeRuntime(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    started: Notify,
}

#[derive(Debug, Default)]
struct State {
    instances: HashMap<ServerUuid, FakeInstance>,
    /// Starts that no test has asked for yet.
    unseen: VecDeque<FakeInstance>,
    start_failures: VecDeque<RuntimeError>,
    prepare_failures: VecDeque<RuntimeError>,
    prepare_lines: Vec<String>,
    destroyed: Vec<ServerUuid>,
}

impl FakeRuntime {
    /// A runtime without instances.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            clock,
            state: Mutex::default(),
            started: Notify::new(),
        }))
    }

    /// Waits for the next start of a game or an installation that no earlier call has returned.
    pub async fn next_start(&self) -> FakeInstance {
        loop {
            let notified = self.0.started.notified();
            if let Some(instance) = self.0.state.lock().unseen.pop_front() {
                return instance;
            }
            notified.await;
        }
    }

    /// The instance that runs for a server at the moment.
    pub fn instance(&self, server: ServerUuid) -> Option<FakeInstance> {
        self.0
            .state
            .lock()
            .instances
            .get(&server)
            .filter(|instance| instance.is_running())
            .cloned()
    }

    /// Lets the next start of a game or an installation fail.
    pub fn fail_next_start(&self, error: RuntimeError) {
        self.0.state.lock().start_failures.push_back(error);
    }

    /// Lets the next [`Runtime::prepare`] fail.
    pub fn fail_next_prepare(&self, error: RuntimeError) {
        self.0.state.lock().prepare_failures.push_back(error);
    }

    /// What every [`Runtime::prepare`] reports as its progress.
    pub fn set_prepare_lines(&self, lines: &[&str]) {
        self.0.state.lock().prepare_lines = lines.iter().map(ToString::to_string).collect();
    }

    /// The servers that [`Runtime::destroy`] was called for.
    pub fn destroyed(&self) -> Vec<ServerUuid> {
        self.0.state.lock().destroyed.clone()
    }

    /// Cuts every console off, as the death of the panel does: the instances run on, keep what
    /// they print, and are handed out again by [`Runtime::reattach`].
    pub fn detach_all(&self) {
        for instance in self.0.state.lock().instances.values() {
            instance.detach();
        }
    }

    fn begin(&self, started: Started) -> Result<Console, RuntimeError> {
        let mut state = self.0.state.lock();
        if let Some(error) = state.start_failures.pop_front() {
            return Err(error);
        }
        let server = started.server();
        if state
            .instances
            .get(&server)
            .is_some_and(FakeInstance::is_running)
        {
            return Err(RuntimeError::AlreadyRunning);
        }
        let instance = FakeInstance::new(started, self.0.clock.now());
        let console = instance.attach();
        state.instances.insert(server, instance.clone());
        state.unseen.push_back(instance);
        drop(state);
        self.0.started.notify_one();
        Ok(console)
    }

    fn running(&self, server: ServerUuid) -> Result<FakeInstance, RuntimeError> {
        self.instance(server).ok_or(RuntimeError::NotFound)
    }
}

impl Runtime for FakeRuntime {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn prepare<'a>(
        &'a self,
        _spec: &'a InstanceSpec,
        progress: mpsc::Sender<String>,
    ) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move {
            let (lines, failure) = {
                let mut state = self.0.state.lock();
                (
                    state.prepare_lines.clone(),
                    state.prepare_failures.pop_front(),
                )
            };
            for line in lines {
                // Nobody has to listen to progress.
                let _ = progress.send(line).await;
            }
            failure.map_or(Ok(()), Err)
        }
        .boxed()
    }

    fn start<'a>(&'a self, spec: &'a InstanceSpec) -> BoxFuture<'a, Result<Console, RuntimeError>> {
        async move { self.begin(Started::Game(spec.clone())) }.boxed()
    }

    fn signal(
        &self,
        server: ServerUuid,
        signal: Signal,
    ) -> BoxFuture<'_, Result<(), RuntimeError>> {
        async move {
            self.running(server)?.deliver(signal);
            Ok(())
        }
        .boxed()
    }

    fn usage(&self, server: ServerUuid) -> BoxFuture<'_, Result<Usage, RuntimeError>> {
        async move { Ok(self.running(server)?.usage()) }.boxed()
    }

    fn update_limits<'a>(
        &'a self,
        server: ServerUuid,
        limits: &'a ResourceLimits,
    ) -> BoxFuture<'a, Result<(), RuntimeError>> {
        async move {
            self.running(server)?.set_limits(limits.clone());
            Ok(())
        }
        .boxed()
    }

    fn install<'a>(
        &'a self,
        spec: &'a InstallSpec,
    ) -> BoxFuture<'a, Result<Console, RuntimeError>> {
        async move { self.begin(Started::Install(spec.clone())) }.boxed()
    }

    fn abort_install(&self, server: ServerUuid) -> BoxFuture<'_, Result<(), RuntimeError>> {
        async move {
            let instance = self.running(server)?;
            if instance.job() != Job::Install {
                return Err(RuntimeError::NotFound);
            }
            instance.exit(Exit::KILLED);
            Ok(())
        }
        .boxed()
    }

    fn destroy(&self, server: ServerUuid) -> BoxFuture<'_, Result<(), RuntimeError>> {
        async move {
            let instance = {
                let mut state = self.0.state.lock();
                state.destroyed.push(server);
                state.instances.remove(&server)
            };
            if let Some(instance) = instance {
                instance.exit(Exit::KILLED);
            }
            Ok(())
        }
        .boxed()
    }

    fn reattach(&self) -> BoxFuture<'_, Result<Vec<Found>, RuntimeError>> {
        async move {
            let instances: Vec<_> = self
                .0
                .state
                .lock()
                .instances
                .values()
                .filter(|instance| instance.is_detached())
                .cloned()
                .collect();
            Ok(instances
                .into_iter()
                .map(|instance| Found {
                    server: instance.server(),
                    job: instance.job(),
                    console: instance.attach(),
                })
                .collect())
        }
        .boxed()
    }

    fn host_address(&self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    }
}
