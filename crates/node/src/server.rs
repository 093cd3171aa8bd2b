//! One server as the rest of the node sees it: a mailbox to the task that owns it, and a view of
//! its present state that can be read without asking the task.

mod install;
mod prepare;
mod process;
mod restore;
mod spec;
mod task;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use hatchery_node_proto::{Network, ServerConfiguration, ServerDetails, Utilization};
use hatchery_runtime::{Console, Job};
use hatchery_serverfs::{Denylist, DiskLimit, FsError, ServerDir};
use hatchery_vocab::{MiB, PowerSignal, PowerState, ServerUuid};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

pub(crate) use restore::{RestoreError, RestoreJob};

use crate::console::{Ring, daemon_line};
use crate::files::Pulls;
use crate::hub::{Frame, Hub};
use crate::power::Refusal;
use crate::state::NodeState;

/// How many requests wait for a server's task. Who finds the mailbox full waits too.
const MAILBOX: usize = 32;

/// How many actions wait for another action of the same server to end.
const MAX_WAITING: usize = 16;

/// The shortest time between two measurements of a running server's disk usage.
const MEASURE_PAUSE: Duration = Duration::from_secs(5);
/// How many times as long as a measurement took nothing is measured, so that walking through a
/// large folder never takes more than two percent of a processor.
const MEASURE_SHARE: u32 = 50;

/// Why a server did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServerError {
    /// The state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It has no process.
    #[error("the server is not running")]
    NotRunning,
    /// It does not read what is typed.
    #[error("the server does not read its console")]
    Deaf,
    /// It is being deleted.
    #[error("the server is being deleted")]
    Gone,
}

/// What the task of a server can be asked.
#[derive(Debug)]
enum Request {
    Power {
        signal: PowerSignal,
        wait: Duration,
        reply: Reply,
    },
    Type {
        lines: Vec<String>,
        reply: Reply,
    },
    Apply {
        configuration: Arc<ServerConfiguration>,
    },
    Install {
        reinstall: bool,
        then_start: bool,
        reply: Reply,
    },
    Restore {
        job: RestoreJob,
        reply: oneshot::Sender<Result<(), RestoreError>>,
    },
    Delete {
        reply: oneshot::Sender<()>,
    },
}

type Reply = oneshot::Sender<Result<(), ServerError>>;

/// What can be seen of a server at the moment.
#[derive(Debug)]
struct View {
    power: PowerState,
    installing: bool,
    configuration: Arc<ServerConfiguration>,
    usage: Utilization,
}

/// One server of this node.
#[derive(Debug)]
pub(crate) struct Server {
    uuid: ServerUuid,
    files: Arc<ServerDir>,
    denylist: ArcSwap<Denylist>,
    view: RwLock<View>,
    mailbox: mpsc::Sender<Request>,
    /// Making an archive and putting one back wait here for their turn.
    pub(crate) archives: Semaphore,
    /// How many milliseconds the last measurement of the disk usage took.
    walk_millis: AtomicU64,
    /// Held while an archive of the server is packed or unpacked: one after another.
    pub(crate) archiving: tokio::sync::Mutex<()>,
    pub(crate) pulls: Pulls,
    pub(crate) hub: Hub,
    pub(crate) console: Mutex<Ring>,
    /// The output of the last installation.
    pub(crate) installation: Mutex<Ring>,
}

impl Server {
    /// Opens the server's folder and starts the task that owns the server. `found` is what the
    /// runtime found running for it.
    pub(crate) fn spawn(
        node: &NodeState,
        configuration: ServerConfiguration,
        found: Option<(Job, Console)>,
    ) -> Result<Arc<Self>, FsError> {
        let uuid = configuration.settings.uuid;
        let files = ServerDir::create(&node.config.data.join(uuid.to_string()))?;
        let (mailbox, requests) = mpsc::channel(MAILBOX);
        let configuration = Arc::new(configuration);
        let server = Arc::new(Self {
            uuid,
            files: Arc::new(files),
            denylist: ArcSwap::default(),
            view: RwLock::new(View {
                power: PowerState::Offline,
                installing: false,
                configuration: Arc::clone(&configuration),
                usage: Utilization::default(),
            }),
            mailbox,
            archives: Semaphore::new(1),
            walk_millis: AtomicU64::new(0),
            archiving: tokio::sync::Mutex::default(),
            pulls: Pulls::default(),
            hub: Hub::default(),
            console: Mutex::default(),
            installation: Mutex::default(),
        });
        server.configure(configuration);
        task::spawn(node.clone(), Arc::clone(&server), requests, found);
        Ok(server)
    }

    pub(crate) const fn uuid(&self) -> ServerUuid {
        self.uuid
    }

    /// The server's folder.
    pub(crate) fn files(&self) -> Arc<ServerDir> {
        Arc::clone(&self.files)
    }

    /// The files that must not be touched.
    pub(crate) fn denylist(&self) -> Arc<Denylist> {
        self.denylist.load_full()
    }

    /// The settings in force.
    pub(crate) fn configuration(&self) -> Arc<ServerConfiguration> {
        Arc::clone(&self.view.read().configuration)
    }

    /// Whether an administrator took the server out of service.
    pub(crate) fn is_suspended(&self) -> bool {
        self.view.read().configuration.settings.suspended
    }

    pub(crate) fn is_installing(&self) -> bool {
        self.view.read().installing
    }

    pub(crate) fn power_state(&self) -> PowerState {
        self.view.read().power
    }

    /// What the server uses at the moment.
    pub(crate) fn utilization(&self) -> Utilization {
        let view = self.view.read();
        Utilization {
            state: view.power,
            disk_bytes: self.files.disk_usage(),
            ..view.usage
        }
    }

    /// All that `GET /api/servers/{uuid}` tells.
    pub(crate) fn details(&self) -> ServerDetails {
        let configuration = self.configuration();
        let utilization = self.utilization();
        ServerDetails {
            state: utilization.state,
            is_suspended: configuration.settings.suspended,
            utilization,
            configuration: Some(configuration.settings.clone()),
        }
    }

    /// Begins a power action, after waiting this long for another one to end. Done when it has
    /// begun, not when it has ended.
    pub(crate) async fn power(
        &self,
        signal: PowerSignal,
        wait: Duration,
    ) -> Result<(), ServerError> {
        self.ask(|reply| Request::Power {
            signal,
            wait,
            reply,
        })
        .await
    }

    /// Types lines into the console.
    pub(crate) async fn type_lines(&self, lines: Vec<String>) -> Result<(), ServerError> {
        self.ask(|reply| Request::Type { lines, reply }).await
    }

    /// Begins an installation; what runs is stopped first.
    pub(crate) async fn install(
        &self,
        reinstall: bool,
        then_start: bool,
    ) -> Result<(), ServerError> {
        self.ask(|reply| Request::Install {
            reinstall,
            then_start,
            reply,
        })
        .await
    }

    /// Stops what runs and puts an archive's files back. Done when all of it is.
    pub(crate) async fn restore(&self, job: RestoreJob) -> Result<(), RestoreError> {
        let (reply, answer) = oneshot::channel();
        self.mailbox
            .send(Request::Restore { job, reply })
            .await
            .map_err(|_| RestoreError::GivenUp)?;
        answer.await.unwrap_or(Err(RestoreError::GivenUp))
    }

    /// Puts new settings in force.
    pub(crate) async fn apply(
        &self,
        configuration: ServerConfiguration,
    ) -> Result<(), ServerError> {
        let configuration = Arc::new(configuration);
        self.configure(Arc::clone(&configuration));
        self.mailbox
            .send(Request::Apply { configuration })
            .await
            .map_err(|_| ServerError::Gone)
    }

    /// Ends everything that runs for the server and its task. Its files stay.
    pub(crate) async fn end(&self) {
        self.pulls.cancel_all();
        let (reply, done) = oneshot::channel();
        if self.mailbox.send(Request::Delete { reply }).await.is_ok() {
            // The task answers before it ends, or has ended.
            let _ = done.await;
        }
    }

    async fn ask(&self, request: impl FnOnce(Reply) -> Request) -> Result<(), ServerError> {
        let (reply, answer) = oneshot::channel();
        self.mailbox
            .send(request(reply))
            .await
            .map_err(|_| ServerError::Gone)?;
        answer.await.map_err(|_| ServerError::Gone)?
    }

    /// Shows new settings to everybody who looks.
    fn configure(&self, configuration: Arc<ServerConfiguration>) {
        let settings = &configuration.settings;
        let limit = MiB::new(settings.build.disk_space).limit_bytes();
        self.files
            .set_disk_limit(limit.map_or(DiskLimit::Unlimited, DiskLimit::Bytes));
        let lines = settings.egg.file_denylist.iter().map(String::as_str);
        self.denylist.store(Arc::new(Denylist::new(lines)));
        self.view.write().configuration = configuration;
    }

    /// Shows a new state; `true` when it differs from the one before.
    fn show(&self, power: PowerState, installing: bool) -> bool {
        let mut view = self.view.write();
        view.installing = installing;
        let changed = view.power != power;
        view.power = power;
        if changed && power == PowerState::Offline {
            // The limit keeps its last value (node-protocol.md §5.1).
            let memory_limit_bytes = view.usage.memory_limit_bytes;
            view.usage = Utilization {
                memory_limit_bytes,
                ..Utilization::default()
            };
        }
        changed
    }

    /// A line in the daemon's voice, for everybody who watches.
    pub(crate) fn say(&self, app_name: &str, text: &str) {
        self.hub
            .publish(&Frame::console(&daemon_line(app_name, text)));
    }

    /// Publishes an event for everybody who watches.
    pub(crate) fn publish(&self, event: &str, args: &[&str]) {
        if !self.hub.is_empty() {
            self.hub.publish(&Frame::event(event, args));
        }
    }

    /// How long a measurement of the disk usage holds while the server runs: short enough to enforce
    /// a limit within seconds, long enough to cost next to nothing.
    fn measure_pause(&self, longest: Duration) -> Duration {
        let walk = Duration::from_millis(self.walk_millis.load(Ordering::Relaxed));
        walk.saturating_mul(MEASURE_SHARE)
            .max(MEASURE_PAUSE)
            .min(longest)
    }

    /// Walks through the server's files, so that its disk usage is exact again. Waits for its turn.
    pub(crate) async fn measure(&self, node: &NodeState) {
        // The semaphore is never closed.
        let Ok(_turn) = node.walks.acquire().await else {
            return;
        };
        let files = self.files();
        let began = Instant::now();
        let walk = tokio::task::spawn_blocking(move || files.measure()).await;
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.walk_millis.store(millis, Ordering::Relaxed);
        match walk {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(server = %self.uuid, %error, "the disk usage could not be measured");
            }
            Err(error) => {
                tracing::error!(server = %self.uuid, %error, "measuring the disk usage ended badly");
            }
        }
    }
}

/// What a sample of the runtime says, as the wire puts it.
fn utilization(
    usage: &hatchery_runtime::Usage,
    cpu_absolute: f64,
    uptime: Duration,
) -> Utilization {
    Utilization {
        memory_bytes: usage.memory_bytes,
        memory_limit_bytes: usage.memory_limit_bytes,
        cpu_absolute,
        network: Network {
            rx_bytes: usage.network_rx_bytes,
            tx_bytes: usage.network_tx_bytes,
        },
        uptime: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
        ..Utilization::default()
    }
}
