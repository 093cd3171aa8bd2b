//! The transitions.

use std::time::Duration;

use hatchery_runtime::{Exit, Signal};
use hatchery_vocab::{PowerSignal, Timestamp};

use super::{
    Effect, FORCED_STOP_LIMIT, Input, Installing, Phase, REINSTALL_STOP_LIMIT, RESTORE_STOP_LIMIT,
    STOP_LIMIT, Stage, State, Stopping, Then,
};

/// What follows from an input. Inputs that do not fit the state change nothing: they are late.
pub(crate) fn step(mut state: State, input: Input) -> (State, Vec<Effect>) {
    let mut effects = Vec::new();
    match input {
        Input::Power(signal) if state.admit(signal).is_ok() => {
            power(&mut state, signal, &mut effects);
        }
        Input::Prepared if state.phase == Phase::Preparing => {
            if state.suspended {
                state.phase = Phase::Offline;
            } else {
                state.phase = Phase::Launching;
                effects.push(Effect::Launch);
            }
        }
        Input::NotPrepared if state.phase == Phase::Preparing => state.phase = Phase::Offline,
        Input::Launched { ready } => launched(&mut state, ready, &mut effects),
        Input::NotLaunched => match state.phase {
            Phase::Launching => state.phase = Phase::Offline,
            Phase::Stopping(stopping) => ended(&mut state, stopping, &mut effects),
            _ => {}
        },
        Input::Ready if state.phase == Phase::Starting => state.phase = Phase::Running,
        Input::StopTyped if matches!(state.phase, Phase::Starting | Phase::Running) => {
            let stage = Stage::Asked(STOP_LIMIT);
            state.phase = Phase::Stopping(Stopping {
                stage,
                then: Then::Rest,
                locked: false,
            });
        }
        Input::OverDisk if matches!(state.phase, Phase::Starting | Phase::Running) => {
            effects.push(Effect::SayOverDisk);
            ask(&mut state, FORCED_STOP_LIMIT, Then::Rest, &mut effects);
        }
        Input::Exited { exit, at } => exited(&mut state, exit, at, &mut effects),
        Input::Suspended(suspended) => suspend(&mut state, suspended, &mut effects),
        Input::Install {
            reinstall,
            then_start,
        } => install(&mut state, reinstall, then_start, &mut effects),
        Input::Installed { successful } => {
            if let Phase::Installing(job) = state.phase {
                installed(&mut state, job, successful, &mut effects);
            }
        }
        Input::Restore => restore(&mut state, &mut effects),
        Input::Restored if state.phase == Phase::Restoring => state.phase = Phase::Offline,
        Input::Found { ready } if state.phase == Phase::Offline => {
            state.phase = if ready {
                Phase::Running
            } else {
                Phase::Starting
            };
            stop_suspended(&mut state, &mut effects);
        }
        Input::FoundInstalling if state.phase == Phase::Offline => {
            let job = Installing {
                reinstall: false,
                then_start: false,
                aborting: false,
            };
            state.phase = Phase::Installing(job);
        }
        Input::TimedOut => timed_out(&mut state, &mut effects),
        Input::Power(_)
        | Input::Prepared
        | Input::NotPrepared
        | Input::Ready
        | Input::StopTyped
        | Input::OverDisk
        | Input::Restored
        | Input::Found { .. }
        | Input::FoundInstalling => {}
    }
    (state, effects)
}

fn power(state: &mut State, signal: PowerSignal, effects: &mut Vec<Effect>) {
    match signal {
        PowerSignal::Start => start(state, effects),
        PowerSignal::Stop => ask(state, STOP_LIMIT, Then::Rest, effects),
        PowerSignal::Restart if state.phase == Phase::Offline => start(state, effects),
        PowerSignal::Restart => ask(state, STOP_LIMIT, Then::Start, effects),
        PowerSignal::Kill => kill(state, effects),
    }
}

fn start(state: &mut State, effects: &mut Vec<Effect>) {
    state.phase = Phase::Preparing;
    effects.push(Effect::Prepare);
}

/// Asks what runs to stop in its own way, and says what comes afterwards.
fn ask(state: &mut State, limit: Duration, then: Then, effects: &mut Vec<Effect>) {
    if matches!(
        state.phase,
        Phase::Starting | Phase::Running | Phase::Stopping(_)
    ) {
        state.phase = Phase::Stopping(Stopping {
            stage: Stage::Asked(limit),
            then,
            locked: true,
        });
        effects.push(Effect::AskToStop);
    }
}

fn kill(state: &mut State, effects: &mut Vec<Effect>) {
    match state.phase {
        Phase::Offline | Phase::Restoring => {}
        Phase::Preparing => {
            state.phase = Phase::Offline;
            effects.push(Effect::Abandon);
        }
        Phase::Installing(job) => {
            state.phase = Phase::Installing(Installing {
                then_start: false,
                aborting: true,
                ..job
            });
            effects.push(Effect::AbortInstall);
        }
        Phase::Launching | Phase::Starting | Phase::Running | Phase::Stopping(_) => {
            if state.phase == Phase::Launching {
                effects.push(Effect::Abandon);
            }
            // A server that hangs may be killed to make way for its backup.
            let then = if state.will_restore() {
                Then::Restore
            } else {
                Then::Rest
            };
            state.phase = Phase::Stopping(Stopping {
                stage: Stage::Killed,
                then,
                locked: then == Then::Restore,
            });
            effects.push(Effect::Signal(Signal::Kill));
        }
    }
}

fn launched(state: &mut State, ready: bool, effects: &mut Vec<Effect>) {
    match state.phase {
        Phase::Launching => {
            state.phase = if ready {
                Phase::Running
            } else {
                Phase::Starting
            };
            stop_suspended(state, effects);
        }
        // It was killed or given up while the runtime was busy: it must not come to life now.
        Phase::Stopping(_) => effects.push(Effect::Signal(Signal::Kill)),
        _ => {
            state.phase = Phase::Stopping(Stopping {
                stage: Stage::Killed,
                then: Then::Rest,
                locked: false,
            });
            effects.push(Effect::Signal(Signal::Kill));
        }
    }
}

/// A requested end has come: whatever the exit says, it is clean.
fn ended(state: &mut State, stopping: Stopping, effects: &mut Vec<Effect>) {
    state.phase = Phase::Offline;
    match stopping.then {
        Then::Start if !state.suspended => start(state, effects),
        Then::Reinstall => begin_install(state, true, false, effects),
        Then::Restore => begin_restore(state, effects),
        Then::Rest | Then::Start => {}
    }
}

fn exited(state: &mut State, exit: Exit, at: Timestamp, effects: &mut Vec<Effect>) {
    match state.phase {
        Phase::Stopping(stopping) => ended(state, stopping, effects),
        Phase::Launching | Phase::Starting | Phase::Running => {
            state.phase = Phase::Offline;
            crashed(state, exit, at, effects);
        }
        Phase::Offline | Phase::Preparing | Phase::Installing(_) | Phase::Restoring => {}
    }
}

fn crashed(state: &mut State, exit: Exit, at: Timestamp, effects: &mut Vec<Effect>) {
    if !state.crash.restart {
        effects.push(Effect::SayNoRestart);
        return;
    }
    if exit.code == 0 && !exit.out_of_memory && !state.crash.clean_exit_counts {
        return;
    }
    effects.push(Effect::SayCrashed(exit));
    let again = state
        .last_crash
        .is_some_and(|last| at.since(last) < state.crash.window);
    if again && !state.crash.window.is_zero() {
        effects.push(Effect::SayCrashLoop);
        return;
    }
    state.last_crash = Some(at);
    if !state.suspended {
        start(state, effects);
    }
}

fn suspend(state: &mut State, suspended: bool, effects: &mut Vec<Effect>) {
    state.suspended = suspended;
    if !suspended {
        return;
    }
    match &mut state.phase {
        Phase::Stopping(stopping) if stopping.then == Then::Start => stopping.then = Then::Rest,
        Phase::Installing(job) => job.then_start = false,
        _ => stop_suspended(state, effects),
    }
}

fn stop_suspended(state: &mut State, effects: &mut Vec<Effect>) {
    if state.suspended && matches!(state.phase, Phase::Starting | Phase::Running) {
        ask(state, FORCED_STOP_LIMIT, Then::Rest, effects);
    }
}

fn install(state: &mut State, reinstall: bool, then_start: bool, effects: &mut Vec<Effect>) {
    match state.phase {
        Phase::Offline => begin_install(state, reinstall, then_start, effects),
        Phase::Starting | Phase::Running | Phase::Stopping(Stopping { locked: false, .. }) => {
            ask(state, REINSTALL_STOP_LIMIT, Then::Reinstall, effects);
        }
        Phase::Preparing
        | Phase::Launching
        | Phase::Stopping(_)
        | Phase::Installing(_)
        | Phase::Restoring => {}
    }
}

fn restore(state: &mut State, effects: &mut Vec<Effect>) {
    match state.phase {
        Phase::Offline => begin_restore(state, effects),
        Phase::Starting | Phase::Running | Phase::Stopping(Stopping { locked: false, .. }) => {
            ask(state, RESTORE_STOP_LIMIT, Then::Restore, effects);
        }
        Phase::Preparing
        | Phase::Launching
        | Phase::Stopping(_)
        | Phase::Installing(_)
        | Phase::Restoring => {}
    }
}

fn begin_restore(state: &mut State, effects: &mut Vec<Effect>) {
    state.phase = Phase::Restoring;
    effects.push(Effect::Restore);
}

fn begin_install(state: &mut State, reinstall: bool, then_start: bool, effects: &mut Vec<Effect>) {
    state.phase = Phase::Installing(Installing {
        reinstall,
        then_start,
        aborting: false,
    });
    effects.push(Effect::Install { reinstall });
}

fn installed(state: &mut State, job: Installing, successful: bool, effects: &mut Vec<Effect>) {
    state.phase = Phase::Offline;
    let successful = successful && !job.aborting;
    effects.push(Effect::ReportInstall {
        successful,
        reinstall: job.reinstall,
    });
    if successful && job.then_start && !state.suspended {
        start(state, effects);
    }
}

fn timed_out(state: &mut State, effects: &mut Vec<Effect>) {
    match state.phase {
        Phase::Offline | Phase::Running => {}
        Phase::Preparing | Phase::Restoring => {
            state.phase = Phase::Offline;
            effects.push(Effect::Abandon);
        }
        Phase::Launching => {
            state.phase = Phase::Offline;
            effects.extend([Effect::Abandon, Effect::Destroy]);
        }
        Phase::Starting => state.phase = Phase::Running,
        Phase::Stopping(stopping) => {
            let (stage, signal) = match stopping.stage {
                Stage::Asked(_) => (Stage::Terminated, Signal::Terminate),
                Stage::Terminated => (Stage::Killed, Signal::Kill),
                Stage::Killed => {
                    effects.push(Effect::Destroy);
                    ended(state, stopping, effects);
                    return;
                }
            };
            state.phase = Phase::Stopping(Stopping { stage, ..stopping });
            effects.extend([Effect::SayEscalation, Effect::Signal(signal)]);
        }
        Phase::Installing(job) if job.aborting => {
            effects.push(Effect::Destroy);
            installed(state, job, false, effects);
        }
        Phase::Installing(job) => {
            state.phase = Phase::Installing(Installing {
                aborting: true,
                ..job
            });
            effects.push(Effect::AbortInstall);
        }
    }
}
