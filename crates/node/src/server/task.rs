//! The task that owns a server: it alone moves the state machine and does what that says.
//!
//! It never waits for anything slow. What takes time (preparing, starting, installing, signals,
//! samples) runs beside it and comes back as a [`Happening`].

mod effects;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use hatchery_node_proto::ws::outbound;
use hatchery_node_proto::{ServerConfiguration, StopKind};
use hatchery_runtime::{Console, Exit, Job, RuntimeError, Usage};
use hatchery_vocab::{PowerSignal, PowerState};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::process::{self, Process, Word};
use super::{
    MAX_WAITING, Reply, Request, RestoreError, RestoreJob, Server, ServerError, install, spec,
    utilization,
};
use crate::console::{Lines, ReadyLine, Throttle, Verdict};
use crate::hub::{Close, Frame};
use crate::power::{CrashRule, Input, Phase, Refusal, State, step};
use crate::state::NodeState;

/// How many happenings wait for the task.
const HAPPENINGS: usize = 32;
/// How often a running server's usage is looked at.
const SAMPLE: Duration = Duration::from_secs(1);
/// How long the runtime may take for a call that should be quick.
const QUICK: Duration = Duration::from_secs(10);

/// What comes back from work beside the task.
#[derive(Debug)]
enum Happening {
    /// The steps before a start have ended.
    Prepared(Option<Arc<ServerConfiguration>>),
    /// The runtime has started the server, or not.
    Launched(Box<Result<Console, RuntimeError>>),
    /// An installation has ended.
    Installed(bool),
    /// An archive was put back, or could not be.
    Restored(Result<(), RestoreError>),
    /// A sample of what the server uses.
    Used(Usage),
}

/// An action that waits for another one to end.
#[derive(Debug)]
struct Waiting {
    signal: PowerSignal,
    until: Instant,
    reply: Reply,
}

#[derive(Debug)]
struct Task {
    node: NodeState,
    server: Arc<Server>,
    state: State,
    /// When the present state has lasted too long.
    deadline: Option<Instant>,
    process: Option<Process>,
    /// Preparing or installing; a start is never interrupted, since its outcome matters.
    work: Option<AbortHandle>,
    /// What is to be put back once the server has stopped.
    restore: Option<RestoreJob>,
    /// Who waits for the end of that.
    restorer: Option<oneshot::Sender<Result<(), RestoreError>>>,
    /// Counts pieces of work, so that the word of one that was given up is not heard.
    piece: u64,
    happenings: mpsc::Receiver<(u64, Happening)>,
    teller: mpsc::Sender<(u64, Happening)>,
    waiting: VecDeque<Waiting>,
    lines: Lines,
    throttle: Throttle,
    ready: ReadyLine,
    /// When the disk usage was measured last.
    measured: Instant,
}

/// Starts the task. It ends when the server is deleted or nobody knows it any more.
pub(super) fn spawn(
    node: NodeState,
    server: Arc<Server>,
    requests: mpsc::Receiver<Request>,
    found: Option<(Job, Console)>,
) {
    let (teller, happenings) = mpsc::channel(HAPPENINGS);
    let now = Instant::now();
    let task = Task {
        state: State::new(crash_rule(&node, &server.configuration())),
        node,
        server,
        deadline: None,
        process: None,
        work: None,
        restore: None,
        restorer: None,
        piece: 0,
        happenings,
        teller,
        waiting: VecDeque::new(),
        lines: Lines::default(),
        throttle: Throttle::new(now),
        ready: ReadyLine::default(),
        measured: now,
    };
    tokio::spawn(task.run(requests, found));
}

impl Task {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>, found: Option<(Job, Console)>) {
        let stopped = self.node.stopped.clone();
        self.begin(found);
        loop {
            let patience = self.waiting.iter().map(|waiting| waiting.until).min();
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Request::Delete { reply }) => {
                        self.destroy().await;
                        // Who asked may have gone.
                        let _ = reply.send(());
                        return;
                    }
                    Some(request) => self.request(request),
                    None => return,
                },
                Some((piece, happening)) = self.happenings.recv() => self.happening(piece, happening),
                word = process::next(&mut self.process) => match word {
                    Word::Printed(bytes) => self.printed(&bytes),
                    Word::Ended(exit) => self.ended(exit),
                },
                () = at(self.deadline) => self.input(Input::TimedOut),
                () = at(patience) => self.expire(Instant::now()),
                () = stopped.cancelled() => return,
            }
        }
    }

    fn begin(&mut self, found: Option<(Job, Console)>) {
        let configuration = self.server.configuration();
        if configuration.settings.suspended {
            self.input(Input::Suspended(true));
        }
        self.measure();
        match found {
            None => {}
            Some((Job::Game, console)) => {
                self.attach(console);
                // It was running before this node was, so its ready line may be long gone.
                self.input(Input::Found { ready: true });
            }
            Some((Job::Install, console)) => {
                self.input(Input::FoundInstalling);
                let server = Arc::clone(&self.server);
                self.work(
                    async move { Happening::Installed(install::follow(&server, console).await) },
                );
            }
        }
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::Power {
                signal,
                wait,
                reply,
            } => self.power(signal, wait, reply),
            Request::Type { lines, reply } => answer(reply, self.type_lines(&lines)),
            Request::Apply { configuration } => self.apply(&configuration),
            Request::Install {
                reinstall,
                then_start,
                reply,
            } => {
                let busy = self.busy().map_err(ServerError::from);
                if busy.is_ok() {
                    self.input(Input::Install {
                        reinstall,
                        then_start,
                    });
                }
                answer(reply, busy);
            }
            Request::Restore { job, reply } => match self.busy() {
                Ok(()) => {
                    (self.restore, self.restorer) = (Some(job), Some(reply));
                    self.input(Input::Restore);
                }
                Err(refusal) => {
                    // Who asked may have gone.
                    let _ = reply.send(Err(refusal.into()));
                }
            },
            // Handled by the loop, which it ends.
            Request::Delete { .. } => {}
        }
    }

    /// Whether something goes on that an installation or a restoration would disturb.
    fn busy(&self) -> Result<(), Refusal> {
        if self.state.is_installing() {
            Err(Refusal::Installing)
        } else if self.state.is_restoring() {
            Err(Refusal::Restoring)
        } else if self.state.is_locked() {
            Err(Refusal::Locked)
        } else {
            Ok(())
        }
    }

    /// Begins an action, or lets it wait where another one is going on.
    fn power(&mut self, signal: PowerSignal, wait: Duration, reply: Reply) {
        match self.state.admit(signal) {
            Err(Refusal::Locked) if !wait.is_zero() && self.waiting.len() < MAX_WAITING => {
                self.waiting.push_back(Waiting {
                    signal,
                    until: Instant::now() + wait,
                    reply,
                });
            }
            admitted => {
                if admitted.is_ok() {
                    self.input(Input::Power(signal));
                }
                answer(reply, admitted.map_err(ServerError::from));
            }
        }
    }

    /// Refuses actions that have waited long enough.
    fn expire(&mut self, now: Instant) {
        let (late, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| waiting.until <= now);
        self.waiting = waiting;
        let late: VecDeque<Waiting> = late;
        for waiting in late {
            answer(waiting.reply, Err(Refusal::Locked.into()));
        }
    }

    fn type_lines(&mut self, lines: &[String]) -> Result<(), ServerError> {
        let Some(process) = &self.process else {
            return Err(ServerError::NotRunning);
        };
        let configuration = self.server.configuration();
        let stop = &configuration.process_configuration.stop;
        for line in lines {
            process.type_line(line)?;
        }
        if stop.kind == StopKind::Command
            && lines.iter().any(|line| Some(line) == stop.value.as_ref())
        {
            self.input(Input::StopTyped);
        }
        Ok(())
    }

    /// Applies new settings to what runs.
    fn apply(&mut self, configuration: &Arc<ServerConfiguration>) {
        self.state.crash = crash_rule(&self.node, configuration);
        let settings = &configuration.settings;
        if settings.suspended && !self.state.suspended {
            self.server.hub.close(Close::SUSPENDED);
        }
        self.input(Input::Suspended(settings.suspended));
        if self.process.is_some() {
            let limits = spec::limits(&self.node.config, &settings.build);
            let (node, server) = (self.node.clone(), self.server.uuid());
            tokio::spawn(async move {
                let update = timeout(QUICK, node.runtime.update_limits(server, &limits)).await;
                if !matches!(update, Ok(Ok(()) | Err(RuntimeError::NotFound))) {
                    tracing::warn!(%server, ?update, "new limits could not be applied to the running server");
                }
            });
        }
    }

    fn happening(&mut self, piece: u64, happening: Happening) {
        let current = piece == self.piece;
        match happening {
            Happening::Prepared(configuration) if current => {
                self.work = None;
                let Some(configuration) = configuration else {
                    return self.input(Input::NotPrepared);
                };
                self.state.crash = crash_rule(&self.node, &configuration);
                self.state.suspended = configuration.settings.suspended;
                self.input(Input::Prepared);
            }
            Happening::Launched(outcome) => match *outcome {
                Ok(console) => self.launched(console),
                Err(error) if current => {
                    self.say(&format!("The server could not be started: {error}"));
                    self.input(Input::NotLaunched);
                }
                Err(_) => {}
            },
            Happening::Installed(successful) if current => {
                self.work = None;
                self.input(Input::Installed { successful });
            }
            Happening::Restored(outcome) if current => {
                self.work = None;
                self.measure();
                if let Some(restorer) = self.restorer.take() {
                    // Who asked may have gone.
                    let _ = restorer.send(outcome);
                }
                self.input(Input::Restored);
            }
            Happening::Used(usage) => self.used(&usage),
            Happening::Prepared(_) | Happening::Installed(_) | Happening::Restored(_) => {}
        }
    }

    fn launched(&mut self, console: Console) {
        self.attach(console);
        let ready = self.ready.is_empty();
        self.input(Input::Launched { ready });
    }

    /// Takes over a terminal and looks at what the process uses from now on.
    fn attach(&mut self, console: Console) {
        let startup = &self.server.configuration().process_configuration.startup;
        self.ready = ReadyLine::new(startup);
        self.lines = Lines::default();
        self.server.console.lock().clear();
        let sampler = tokio::spawn(sample(
            self.node.clone(),
            Arc::clone(&self.server),
            self.teller.clone(),
        ));
        self.process = Some(Process::new(console, sampler.abort_handle()));
    }

    fn printed(&mut self, bytes: &[u8]) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.push(bytes, |line| self.line(line));
        self.lines = lines;
    }

    fn line(&mut self, line: &str) {
        if self.state.phase == Phase::Starting && self.ready.is(line) {
            self.input(Input::Ready);
        }
        self.server.console.lock().push(line);
        match self.throttle.line(Instant::now()) {
            Verdict::Show => {
                if !self.server.hub.is_empty() {
                    self.server.hub.publish(&Frame::console(line));
                }
            }
            Verdict::Announce => {
                self.say("Server is outputting console data too quickly -- throttling...");
            }
            Verdict::Drop => {}
        }
    }

    fn ended(&mut self, exit: Exit) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(|line| self.line(line));
        self.process = None;
        self.measure();
        self.input(Input::Exited {
            exit,
            at: self.node.clock.now(),
        });
    }

    fn used(&mut self, usage: &Usage) {
        let Some(process) = &mut self.process else {
            return;
        };
        let now = Instant::now();
        let cpu = process.cpu(usage, now);
        let uptime = self.node.clock.now().since(process.started_at);
        self.server.view.write().usage = utilization(usage, cpu, uptime);
        self.publish_stats();
        if now.duration_since(self.measured)
            >= self
                .server
                .measure_pause(self.node.config.disk_check_interval)
        {
            self.measure();
        }
        if self.server.files.is_over_limit() {
            self.input(Input::OverDisk);
        }
    }

    /// Moves the state machine and does what follows.
    fn input(&mut self, input: Input) {
        let before = self.state.phase;
        let (state, effects) = step(self.state.clone(), input);
        self.state = state;
        if self.state.phase != before {
            tracing::debug!(server = %self.server.uuid(), ?before, after = ?self.state.phase, "the server's state changes");
            self.deadline = self.state.limit().map(|limit| Instant::now() + limit);
        }
        if self
            .server
            .show(self.state.power(), self.state.is_installing())
        {
            let power = self.state.power();
            self.server.publish(outbound::STATUS, &[power.as_str()]);
            if power == PowerState::Offline {
                self.publish_stats();
            }
        }
        for effect in effects {
            self.effect(effect);
        }
        if !self.state.will_restore() {
            // Whoever waits for it learns that it was given up.
            (self.restore, self.restorer) = (None, None);
        }
        self.admit_waiting();
    }

    /// Begins the first action that waited, now that none is going on.
    fn admit_waiting(&mut self) {
        while !self.state.is_locked()
            && let Some(Waiting { signal, reply, .. }) = self.waiting.pop_front()
        {
            self.power(signal, Duration::ZERO, reply);
        }
    }

    /// Measures the disk usage beside the task.
    fn measure(&mut self) {
        self.measured = Instant::now();
        let (node, server) = (self.node.clone(), Arc::clone(&self.server));
        tokio::spawn(async move { server.measure(&node).await });
    }

    fn say(&self, text: &str) {
        self.server.say(&self.node.config.app_name, text);
    }

    fn publish_stats(&self) {
        if !self.server.hub.is_empty() {
            let stats = serde_json::to_string(&self.server.utilization()).unwrap_or_default();
            self.server.publish(outbound::STATS, &[&stats]);
        }
    }

    /// Ends everything that runs for the server.
    async fn destroy(&mut self) {
        self.abandon();
        self.process = None;
        match timeout(QUICK, self.node.runtime.destroy(self.server.uuid())).await {
            Ok(Ok(()) | Err(RuntimeError::NotFound)) => {}
            failure => {
                tracing::error!(server = %self.server.uuid(), ?failure, "the deleted server may still run");
            }
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Samples what a server uses until it is stopped.
async fn sample(node: NodeState, server: Arc<Server>, teller: mpsc::Sender<(u64, Happening)>) {
    let mut ticks = tokio::time::interval(SAMPLE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Ok(Ok(usage)) = timeout(QUICK, node.runtime.usage(server.uuid())).await {
            // A busy task can do without this sample.
            let _ = teller.try_send((0, Happening::Used(usage)));
        }
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn answer(reply: Reply, result: Result<(), ServerError>) {
    // Who asked may have gone.
    let _ = reply.send(result);
}

fn crash_rule(node: &NodeState, configuration: &ServerConfiguration) -> CrashRule {
    let crash = node.config.crash;
    CrashRule {
        restart: configuration
            .settings
            .crash_detection_enabled
            .unwrap_or(crash.enabled),
        clean_exit_counts: crash.detect_clean_exit,
        window: crash.window,
    }
}
