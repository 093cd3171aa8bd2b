//! What the state machine asks for, done: started beside the task, never waited for.

use std::future::Future;
use std::sync::Arc;

use hatchery_node_proto::{InstallReport, StopConfiguration, StopKind};
use hatchery_runtime::{RuntimeError, Signal};
use tokio::time::timeout;

use super::super::{RestoreError, install, prepare, restore};
use super::{Happening, QUICK, Task};
use crate::power::Effect;
use crate::state::NodeState;

impl Task {
    /// Does one thing that the state machine asks for.
    pub(super) fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Prepare => {
                let (node, server) = (self.node.clone(), Arc::clone(&self.server));
                self.work(async move {
                    match prepare::prepare(&node, &server).await {
                        Ok(configuration) => Happening::Prepared(Some(configuration)),
                        Err(error) => {
                            tracing::info!(server = %server.uuid(), %error, "the server is not started");
                            server.say(&node.config.app_name, &error.to_string());
                            Happening::Prepared(None)
                        }
                    }
                });
            }
            Effect::Launch => {
                let (node, server) = (self.node.clone(), Arc::clone(&self.server));
                let configuration = server.configuration();
                self.work(async move {
                    Happening::Launched(Box::new(
                        prepare::launch(&node, &server, &configuration).await,
                    ))
                });
                // Whatever becomes of it has to be known, or a process would run that nobody owns.
                self.work = None;
            }
            Effect::Abandon => self.abandon(),
            Effect::AskToStop => self.ask_to_stop(),
            Effect::Signal(signal) => self.signal(signal),
            Effect::Destroy => {
                self.process = None;
                self.beside(
                    "forgetting the server's process",
                    |node, server| async move { node.runtime.destroy(server).await },
                );
            }
            Effect::Install { .. } => {
                let (node, server) = (self.node.clone(), Arc::clone(&self.server));
                self.work(async move { Happening::Installed(install::run(&node, &server).await) });
            }
            Effect::AbortInstall => {
                self.abandon();
                let (node, server) = (self.node.clone(), self.server.uuid());
                self.work(async move {
                    // Whether there was one to end or not, the installation is over.
                    let _ = timeout(QUICK, node.runtime.abort_install(server)).await;
                    Happening::Installed(false)
                });
            }
            Effect::Restore => {
                let (server, job) = (Arc::clone(&self.server), self.restore.take());
                self.work(async move {
                    let outcome = match job {
                        Some(job) => restore::run(server, job).await,
                        None => Err(RestoreError::GivenUp),
                    };
                    Happening::Restored(outcome)
                });
            }
            Effect::ReportInstall {
                successful,
                reinstall,
            } => {
                let (node, server) = (self.node.clone(), Arc::clone(&self.server));
                self.measure();
                tokio::spawn(async move {
                    install::report(
                        &node,
                        &server,
                        InstallReport {
                            successful,
                            reinstall,
                        },
                    )
                    .await;
                });
            }
            Effect::SayCrashed(exit) => {
                self.say("---------- Detected server process in a crashed state! ----------");
                self.say(&format!("Exit code: {}", exit.code));
                self.say(&format!("Out of memory: {}", exit.out_of_memory));
            }
            Effect::SayNoRestart => {
                self.say(
                    "Aborting automatic restart, crash detection is disabled for this instance.",
                );
            }
            Effect::SayCrashLoop => {
                let window = self.state.crash.window.as_secs();
                self.say(&format!("Aborting automatic restart, last crash occurred less than {window} seconds ago."));
            }
            Effect::SayOverDisk => {
                self.say(
                    "Server is exceeding the assigned disk space limit, stopping process now.",
                );
            }
            Effect::SayEscalation => {
                self.say("The server did not stop in time and is ended with more force.");
            }
        }
    }

    /// Asks the server to stop in its egg's way.
    fn ask_to_stop(&mut self) {
        let configuration = self.server.configuration();
        let StopConfiguration { kind, value } = &configuration.process_configuration.stop;
        let signal = match (kind, value) {
            (StopKind::Command, Some(line)) => {
                let typed = self
                    .process
                    .as_ref()
                    .is_some_and(|process| process.type_line(line).is_ok());
                if typed { None } else { Some(Signal::Terminate) }
            }
            (StopKind::Signal, Some(name)) => Some(stop_signal(name)),
            (StopKind::Stop, _) | (StopKind::Command | StopKind::Signal, None) => {
                Some(Signal::Terminate)
            }
            (StopKind::Unset, _) => Some(Signal::Kill),
        };
        if let Some(signal) = signal {
            self.signal(signal);
        }
    }

    fn signal(&self, signal: Signal) {
        self.beside("sending a signal", move |node, server| async move {
            node.runtime.signal(server, signal).await
        });
    }

    /// Runs a call of the runtime beside the task. When it fails, the state's deadline helps.
    fn beside<F>(
        &self,
        action: &'static str,
        call: impl FnOnce(NodeState, hatchery_vocab::ServerUuid) -> F,
    ) where
        F: Future<Output = Result<(), RuntimeError>> + Send + 'static,
    {
        let server = self.server.uuid();
        let call = call(self.node.clone(), server);
        tokio::spawn(async move {
            match timeout(QUICK, call).await {
                Ok(Ok(()) | Err(RuntimeError::NotFound)) => {}
                Ok(Err(error)) => tracing::warn!(%server, %error, action, "the runtime failed"),
                Err(_) => tracing::warn!(%server, action, "the runtime takes too long"),
            }
        });
    }

    /// Runs a piece of work whose outcome comes back as a happening.
    pub(super) fn work(&mut self, work: impl Future<Output = Happening> + Send + 'static) {
        self.piece += 1;
        let (piece, teller) = (self.piece, self.teller.clone());
        let task = tokio::spawn(async move {
            let happening = work.await;
            // A server that is gone needs no word.
            let _ = teller.send((piece, happening)).await;
        });
        self.work = Some(task.abort_handle());
    }

    /// Gives up the present piece of work.
    pub(super) fn abandon(&mut self) {
        self.piece += 1;
        if let Some(work) = self.work.take() {
            work.abort();
        }
    }
}

/// The signal of a stop configuration. `C` is what the reference makes of `^C`: it ends the server
/// hard there, and means `SIGINT` here, as everybody who writes it expects (eggs.md §4.1).
fn stop_signal(name: &str) -> Signal {
    let name = name.trim().trim_start_matches('^').to_ascii_uppercase();
    match name.strip_prefix("SIG").unwrap_or(&name) {
        "C" | "INT" => Signal::Interrupt,
        "ABRT" => Signal::Abort,
        "QUIT" | "\\" => Signal::Quit,
        "KILL" => Signal::Kill,
        _ => Signal::Terminate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signals_of_eggs_are_understood() {
        for (name, signal) in [
            ("C", Signal::Interrupt),
            ("^C", Signal::Interrupt),
            ("SIGINT", Signal::Interrupt),
            ("sigterm", Signal::Terminate),
            ("SIGABRT", Signal::Abort),
            ("SIGKILL", Signal::Kill),
            ("X", Signal::Terminate),
        ] {
            assert_eq!(stop_signal(name), signal, "{name}");
        }
    }
}
