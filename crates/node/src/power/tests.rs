//! The state machine by table and by chance.

use proptest::prelude::*;

use super::*;

const RULE: CrashRule = CrashRule {
    restart: true,
    clean_exit_counts: true,
    window: Duration::from_mins(1),
};
const DIED: Exit = Exit {
    code: 1,
    out_of_memory: false,
};
const CLEAN: Exit = Exit {
    code: 0,
    out_of_memory: false,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn exited(exit: Exit, seconds: i64) -> Input {
    Input::Exited {
        exit,
        at: at(seconds),
    }
}

fn stopping(stage: Stage, then: Then, locked: bool) -> Phase {
    Phase::Stopping(Stopping {
        stage,
        then,
        locked,
    })
}

fn installing(reinstall: bool, then_start: bool, aborting: bool) -> Phase {
    Phase::Installing(Installing {
        reinstall,
        then_start,
        aborting,
    })
}

fn in_phase(phase: Phase) -> State {
    State {
        phase,
        ..State::new(RULE)
    }
}

/// Sends inputs and returns where they lead and everything that was to be done.
fn run(mut state: State, inputs: &[Input]) -> (State, Vec<Effect>) {
    let mut all = Vec::new();
    for input in inputs {
        let (next, effects) = step(state, *input);
        state = next;
        all.extend(effects);
    }
    (state, all)
}

#[test]
fn steps_lead_where_the_table_says() {
    use Effect as E;
    use Input as I;
    use Phase as P;
    let asked = Stage::Asked(STOP_LIMIT);
    let forced = Stage::Asked(FORCED_STOP_LIMIT);
    let before_reinstall = Stage::Asked(REINSTALL_STOP_LIMIT);
    let power = Input::Power;
    let (start, stop, restart, kill) = (
        power(PowerSignal::Start),
        power(PowerSignal::Stop),
        power(PowerSignal::Restart),
        power(PowerSignal::Kill),
    );
    let sigkill = E::Signal(Signal::Kill);
    let table: Vec<(Phase, Input, Phase, Vec<Effect>)> = vec![
        (P::Offline, start, P::Preparing, vec![E::Prepare]),
        (P::Offline, restart, P::Preparing, vec![E::Prepare]),
        (P::Offline, stop, P::Offline, vec![]),
        (P::Offline, kill, P::Offline, vec![]),
        (P::Preparing, I::Prepared, P::Launching, vec![E::Launch]),
        (P::Preparing, I::NotPrepared, P::Offline, vec![]),
        (P::Preparing, kill, P::Offline, vec![E::Abandon]),
        (P::Preparing, stop, P::Preparing, vec![]),
        (P::Preparing, I::TimedOut, P::Offline, vec![E::Abandon]),
        (
            P::Launching,
            I::Launched { ready: false },
            P::Starting,
            vec![],
        ),
        (
            P::Launching,
            I::Launched { ready: true },
            P::Running,
            vec![],
        ),
        (P::Launching, I::NotLaunched, P::Offline, vec![]),
        (
            P::Launching,
            kill,
            stopping(Stage::Killed, Then::Rest, false),
            vec![E::Abandon, sigkill],
        ),
        (
            P::Launching,
            I::TimedOut,
            P::Offline,
            vec![E::Abandon, E::Destroy],
        ),
        (P::Starting, I::Ready, P::Running, vec![]),
        (P::Starting, I::TimedOut, P::Running, vec![]),
        (
            P::Starting,
            stop,
            stopping(asked, Then::Rest, true),
            vec![E::AskToStop],
        ),
        (P::Running, start, P::Running, vec![]),
        (
            P::Running,
            stop,
            stopping(asked, Then::Rest, true),
            vec![E::AskToStop],
        ),
        (
            P::Running,
            restart,
            stopping(asked, Then::Start, true),
            vec![E::AskToStop],
        ),
        (
            P::Running,
            kill,
            stopping(Stage::Killed, Then::Rest, false),
            vec![sigkill],
        ),
        (
            P::Running,
            I::StopTyped,
            stopping(asked, Then::Rest, false),
            vec![],
        ),
        (
            P::Running,
            I::OverDisk,
            stopping(forced, Then::Rest, true),
            vec![E::SayOverDisk, E::AskToStop],
        ),
        (
            P::Running,
            I::Install {
                reinstall: true,
                then_start: false,
            },
            stopping(before_reinstall, Then::Reinstall, true),
            vec![E::AskToStop],
        ),
        (
            P::Running,
            I::Suspended(true),
            stopping(forced, Then::Rest, true),
            vec![E::AskToStop],
        ),
        (
            stopping(asked, Then::Rest, true),
            exited(DIED, 5),
            P::Offline,
            vec![],
        ),
        (
            stopping(asked, Then::Start, true),
            exited(DIED, 5),
            P::Preparing,
            vec![E::Prepare],
        ),
        (
            stopping(asked, Then::Reinstall, true),
            exited(CLEAN, 5),
            installing(true, false, false),
            vec![E::Install { reinstall: true }],
        ),
        (
            stopping(asked, Then::Start, true),
            kill,
            stopping(Stage::Killed, Then::Rest, false),
            vec![sigkill],
        ),
        (
            stopping(asked, Then::Rest, false),
            stop,
            stopping(asked, Then::Rest, true),
            vec![E::AskToStop],
        ),
        (
            stopping(asked, Then::Rest, true),
            stop,
            stopping(asked, Then::Rest, true),
            vec![],
        ),
        (
            stopping(asked, Then::Start, true),
            I::TimedOut,
            stopping(Stage::Terminated, Then::Start, true),
            vec![E::SayEscalation, E::Signal(Signal::Terminate)],
        ),
        (
            stopping(Stage::Terminated, Then::Start, true),
            I::TimedOut,
            stopping(Stage::Killed, Then::Start, true),
            vec![E::SayEscalation, sigkill],
        ),
        (
            stopping(Stage::Killed, Then::Start, true),
            I::TimedOut,
            P::Preparing,
            vec![E::Destroy, E::Prepare],
        ),
        (
            stopping(Stage::Killed, Then::Rest, false),
            I::Launched { ready: true },
            stopping(Stage::Killed, Then::Rest, false),
            vec![sigkill],
        ),
        (
            P::Offline,
            I::Launched { ready: true },
            stopping(Stage::Killed, Then::Rest, false),
            vec![sigkill],
        ),
        (
            P::Offline,
            I::Install {
                reinstall: false,
                then_start: true,
            },
            installing(false, true, false),
            vec![E::Install { reinstall: false }],
        ),
        (
            installing(false, true, false),
            I::Installed { successful: true },
            P::Preparing,
            vec![
                E::ReportInstall {
                    successful: true,
                    reinstall: false,
                },
                E::Prepare,
            ],
        ),
        (
            installing(true, true, false),
            I::Installed { successful: false },
            P::Offline,
            vec![E::ReportInstall {
                successful: false,
                reinstall: true,
            }],
        ),
        (
            installing(false, true, false),
            kill,
            installing(false, false, true),
            vec![E::AbortInstall],
        ),
        (
            installing(false, false, true),
            I::Installed { successful: true },
            P::Offline,
            vec![E::ReportInstall {
                successful: false,
                reinstall: false,
            }],
        ),
        (
            installing(true, false, false),
            I::TimedOut,
            installing(true, false, true),
            vec![E::AbortInstall],
        ),
        (
            installing(true, false, true),
            I::TimedOut,
            P::Offline,
            vec![
                E::Destroy,
                E::ReportInstall {
                    successful: false,
                    reinstall: true,
                },
            ],
        ),
        (P::Offline, I::Found { ready: true }, P::Running, vec![]),
        (
            P::Offline,
            I::FoundInstalling,
            installing(false, false, false),
            vec![],
        ),
    ];
    for (phase, input, next, effects) in table {
        let (state, done) = step(in_phase(phase), input);
        assert_eq!(
            (state.phase, done),
            (next, effects),
            "{phase:?} and {input:?}"
        );
    }
}

#[test]
fn refusals_are_told_apart() {
    let refusal = |phase, suspended, signal| {
        State {
            suspended,
            ..in_phase(phase)
        }
        .admit(signal)
        .err()
    };
    let asked = stopping(Stage::Asked(STOP_LIMIT), Then::Rest, true);
    for (phase, suspended, signal, expected) in [
        (
            Phase::Running,
            false,
            PowerSignal::Start,
            Some(Refusal::Running),
        ),
        (
            Phase::Offline,
            true,
            PowerSignal::Start,
            Some(Refusal::Suspended),
        ),
        (
            Phase::Offline,
            true,
            PowerSignal::Restart,
            Some(Refusal::Suspended),
        ),
        (Phase::Running, true, PowerSignal::Stop, None),
        (
            Phase::Preparing,
            false,
            PowerSignal::Start,
            Some(Refusal::Locked),
        ),
        (
            Phase::Launching,
            false,
            PowerSignal::Stop,
            Some(Refusal::Locked),
        ),
        (asked, false, PowerSignal::Stop, Some(Refusal::Locked)),
        (asked, false, PowerSignal::Kill, None),
        (
            installing(true, false, false),
            false,
            PowerSignal::Start,
            Some(Refusal::Installing),
        ),
        (
            installing(true, false, false),
            false,
            PowerSignal::Kill,
            None,
        ),
        (
            stopping(Stage::Killed, Then::Rest, false),
            false,
            PowerSignal::Start,
            Some(Refusal::Running),
        ),
    ] {
        assert_eq!(
            refusal(phase, suspended, signal),
            expected,
            "{phase:?} {signal}"
        );
    }
}

#[test]
fn a_crash_restarts_once_in_its_window() {
    let (state, effects) = step(in_phase(Phase::Running), exited(DIED, 100));
    assert_eq!(effects, [Effect::SayCrashed(DIED), Effect::Prepare]);
    let again = [Input::Prepared, Input::Launched { ready: true }];
    let (state, _) = run(state, &again);
    let (within, effects) = step(state.clone(), exited(CLEAN, 159));
    assert_eq!(effects, [Effect::SayCrashed(CLEAN), Effect::SayCrashLoop]);
    assert_eq!(within.phase, Phase::Offline);
    let (_, effects) = step(state, exited(DIED, 160));
    assert_eq!(effects, [Effect::SayCrashed(DIED), Effect::Prepare]);
}

#[test]
fn the_rule_decides_what_a_crash_is() {
    let with = |rule, exit| {
        step(
            State {
                crash: rule,
                ..in_phase(Phase::Starting)
            },
            exited(exit, 1),
        )
        .1
    };
    assert_eq!(
        with(
            CrashRule {
                restart: false,
                ..RULE
            },
            DIED
        ),
        [Effect::SayNoRestart]
    );
    let lenient = CrashRule {
        clean_exit_counts: false,
        ..RULE
    };
    assert_eq!(with(lenient, CLEAN), []);
    assert_eq!(
        with(lenient, DIED),
        [Effect::SayCrashed(DIED), Effect::Prepare]
    );
    let starved = Exit {
        code: 0,
        out_of_memory: true,
    };
    assert_eq!(
        with(lenient, starved),
        [Effect::SayCrashed(starved), Effect::Prepare]
    );
}

#[test]
fn a_suspended_server_neither_starts_nor_restarts() {
    let restart = [
        Input::Power(PowerSignal::Restart),
        Input::Suspended(true),
        exited(CLEAN, 1),
    ];
    assert_eq!(
        run(in_phase(Phase::Running), &restart).0.phase,
        Phase::Offline
    );
    assert_eq!(
        run(
            in_phase(Phase::Preparing),
            &[Input::Suspended(true), Input::Prepared]
        )
        .0
        .phase,
        Phase::Offline
    );
    let launched = [Input::Suspended(true), Input::Launched { ready: true }];
    let phase = run(in_phase(Phase::Launching), &launched).0.phase;
    assert_eq!(
        phase,
        stopping(Stage::Asked(FORCED_STOP_LIMIT), Then::Rest, true)
    );
}

fn inputs() -> impl Strategy<Value = Input> {
    prop_oneof![
        prop_oneof![
            Just(PowerSignal::Start),
            Just(PowerSignal::Stop),
            Just(PowerSignal::Restart),
            Just(PowerSignal::Kill)
        ]
        .prop_map(Input::Power),
        Just(Input::Prepared),
        Just(Input::NotPrepared),
        any::<bool>().prop_map(|ready| Input::Launched { ready }),
        Just(Input::NotLaunched),
        Just(Input::Ready),
        Just(Input::StopTyped),
        Just(Input::OverDisk),
        (0..3, 0..1000_i64).prop_map(|(code, seconds)| exited(
            Exit {
                code,
                out_of_memory: false
            },
            seconds
        )),
        any::<bool>().prop_map(Input::Suspended),
        any::<(bool, bool)>().prop_map(|(reinstall, then_start)| Input::Install {
            reinstall,
            then_start
        }),
        any::<bool>().prop_map(|successful| Input::Installed { successful }),
        any::<bool>().prop_map(|ready| Input::Found { ready }),
        Just(Input::FoundInstalling),
        Just(Input::TimedOut),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_every_wait_has_a_limit_and_ends(
        inputs in prop::collection::vec(inputs(), 0..60)
    ) {
        let (mut state, _) = run(State::new(RULE), &inputs);
        let waits = !matches!(state.phase, Phase::Offline | Phase::Running);
        prop_assert_eq!(state.limit().is_some(), waits);
        // Left alone, it comes to rest: nothing but time goes on.
        let mut steps = 0;
        while state.limit().is_some() {
            state = step(state, Input::TimedOut).0;
            steps += 1;
            prop_assert!(steps < 10, "{:?}", state);
        }
    }

    #[test]
    fn killing_leads_to_rest_from_everywhere(inputs in prop::collection::vec(inputs(), 0..60)) {
        let (state, _) = run(State::new(RULE), &inputs);
        prop_assert!(state.admit(PowerSignal::Kill).is_ok());
        let (killed, effects) = step(state.clone(), Input::Power(PowerSignal::Kill));
        prop_assert!(state.phase == Phase::Offline || !effects.is_empty());
        let (rest, _) = run(killed, &[exited(CLEAN, 1), Input::Installed { successful: true }]);
        prop_assert_eq!(rest.phase, Phase::Offline);
    }
}
