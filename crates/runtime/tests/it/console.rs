//! Starting, typing, printing, stopping.

use hatchery_runtime::{Runtime, RuntimeError, Signal};

use crate::support::{World, code};

#[tokio::test]
async fn a_program_prints_answers_and_ends() {
    let world = World::new();
    let mut spec = world.spec(r#"echo "memory {{SERVER_MEMORY}}" $(( {{SERVER_MEMORY}} * 2 )); read line; echo "got <$line>"; exit 7"#);
    spec.environment
        .push(("GREETING".into(), "$(id) `id` ; rm".into()));
    spec.invocation.insert_str(0, "echo \"{{GREETING}}\"; ");
    let mut hand = world.start_spec(&spec).await;
    hand.until(":/home/container$ echo \"$(id) `id` ; rm\"")
        .await;
    hand.until("\r\n$(id) `id` ; rm\r\n").await;
    hand.until("memory 128 256\r\n").await;
    hand.send("hello").await;
    // A terminal echoes what is typed.
    hand.until("hello\r\n").await;
    let (exit, rest) = hand.end().await;
    assert_eq!(exit, code(7));
    assert_eq!(rest, "got <hello>\r\n");
}

#[tokio::test]
async fn a_server_runs_once_at_a_time_and_again_after_its_end() {
    let world = World::new();
    let mut hand = world.start("echo first; read line").await;
    hand.until("\r\nfirst\r\n").await;
    let second = world.runtime.start(&world.spec("true")).await;
    assert!(
        matches!(second, Err(RuntimeError::AlreadyRunning)),
        "{second:?}"
    );
    hand.send("").await;
    assert_eq!(hand.end().await.0, code(0));
    assert_eq!(world.run("exit 3").await.0, code(3));
    let gone = world.runtime.signal(world.server, Signal::Kill).await;
    assert!(matches!(gone, Err(RuntimeError::NotFound)), "{gone:?}");
}

#[tokio::test]
async fn an_interrupt_reaches_the_whole_group_and_lets_it_finish() {
    let world = World::new();
    // The game is a child of the shell, and takes its time to say goodbye.
    let line = r#"bash -c 'trap "echo saving; echo saved; exit 0" INT; echo ready; while :; do read -t 1 line; done'; echo "game ended with $?""#;
    let mut hand = world.start(line).await;
    hand.until("\r\nready\r\n").await;
    world
        .runtime
        .signal(world.server, Signal::Interrupt)
        .await
        .unwrap();
    let (exit, rest) = hand.end().await;
    assert!(rest.contains("saving\r\nsaved\r\n"), "{rest}");
    assert!([0, 130].contains(&exit.code), "{exit:?}");
}

#[tokio::test]
async fn a_shell_that_dies_of_a_signal_does_not_take_the_saving_game_along() {
    let world = World::new();
    let line = r#"bash -c 'trap "echo saving; sleep 0.2; echo saved; exit 0" TERM; echo ready; while :; do sleep 0.05; done'; true"#;
    let mut hand = world.start(line).await;
    hand.until("\r\nready\r\n").await;
    world
        .runtime
        .signal(world.server, Signal::Terminate)
        .await
        .unwrap();
    let (exit, rest) = hand.end().await;
    assert!(rest.contains("saved\r\n"), "{rest}");
    assert_eq!(exit, code(128 + 15));
}

#[tokio::test]
async fn what_ignores_every_signal_is_killed() {
    let world = World::new();
    let mut hand = world
        .start("trap '' INT TERM QUIT ABRT HUP; echo ready; while :; do sleep 0.05; done")
        .await;
    hand.until("\r\nready\r\n").await;
    for signal in [
        Signal::Interrupt,
        Signal::Terminate,
        Signal::Quit,
        Signal::Abort,
    ] {
        world.runtime.signal(world.server, signal).await.unwrap();
    }
    assert!(
        world.runtime.usage(world.server).await.is_ok(),
        "still there"
    );
    world
        .runtime
        .signal(world.server, Signal::Kill)
        .await
        .unwrap();
    assert_eq!(hand.end().await.0, code(137));
}

#[tokio::test]
async fn orphans_end_with_the_game() {
    let world = World::new();
    // Twice forked, in a session of its own, deaf to everything that can be ignored.
    let orphan = "setsid bash -c 'trap \"\" HUP TERM INT; (while :; do date +%s%N > beat; sleep 0.02; done) &' &";
    let mut hand = world
        .start(&format!(
            "{orphan} while [ ! -s beat ]; do sleep 0.02; done; echo up; read line"
        ))
        .await;
    hand.until("\r\nup\r\n").await;
    world
        .runtime
        .signal(world.server, Signal::Kill)
        .await
        .unwrap();
    assert_eq!(hand.end().await.0, code(137));
    // The next instance sees whether the heart still beats.
    let (_, seen) = world
        .run("a=$(cat beat); sleep 0.3; [ \"$a\" = \"$(cat beat)\" ] && echo silence")
        .await;
    assert!(seen.contains("\r\nsilence\r\n"), "{seen}");
}

#[tokio::test]
async fn a_million_lines_arrive_whole_at_a_reader_that_keeps_up() {
    let world = World::new();
    let (exit, seen) = world.run("seq 1 300000; echo finished").await;
    assert_eq!(exit, code(0));
    assert!(seen.ends_with("300000\r\nfinished\r\n"));
    let lines = seen.lines().skip(1);
    let complete = lines
        .zip(1..=300_000)
        .all(|(line, number)| line == number.to_string());
    assert!(complete, "a line is missing or out of order");
}

#[tokio::test]
async fn a_million_lines_do_not_wait_for_a_reader_that_sleeps() {
    let world = World::new();
    // The game writes a file when it is through; nobody reads its console until then.
    let mut hand = world
        .start("seq 1 1000000; touch through; echo finished")
        .await;
    while !world.root().join("through").exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let (mut skipped, mut bytes) = (0, 0);
    let mut text = String::new();
    while let Some(chunk) = hand.console.output.recv().await {
        bytes += chunk.len();
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    for notice in text.split('[').skip(1) {
        if let Some((number, _)) = notice.split_once(" bytes of output were skipped") {
            skipped += number.parse::<usize>().unwrap();
        }
    }
    assert!(
        text.ends_with("1000000\r\nfinished\r\n"),
        "the end is always there"
    );
    assert!(skipped > 0, "nothing was skipped");
    assert!(bytes < 4 * 1024 * 1024, "{bytes} bytes were kept");
    // 1 to 999999 with line ends, the last line, and the announcement make the whole.
    let printed = (1..=1_000_000_u32)
        .map(|number| number.to_string().len() + 2)
        .sum::<usize>()
        + "finished\r\n".len();
    let notices: usize = text.matches("\r\n[").count();
    assert!(notices > 0);
    assert!(
        bytes + skipped >= printed,
        "the gap is counted: {bytes} + {skipped} for {printed}"
    );
    assert_eq!(hand.console.exit.await.unwrap(), code(0));
}

#[tokio::test]
async fn an_endless_line_and_bytes_that_are_no_text_pass_through() {
    let world = World::new();
    let mut hand = world
        .start(r"head -c 3000000 /dev/zero | tr '\0' x; printf '\377\376\n'; echo end")
        .await;
    let mut all = Vec::new();
    while let Some(chunk) = hand.console.output.recv().await {
        assert!(chunk.len() <= hatchery_runtime::MAX_CHUNK);
        all.extend_from_slice(&chunk);
    }
    assert!(all.ends_with(b"x\xff\xfe\r\nend\r\n"));
    assert!(all.len() > 3_000_000);
}

#[tokio::test]
async fn a_game_that_never_reads_does_not_hold_up_signals() {
    let world = World::new();
    let mut hand = world.start("echo ready; sleep 1000").await;
    hand.until("\r\nready\r\n").await;
    let line = "x".repeat(1000);
    for _ in 0..500 {
        let _ = hand.console.input.try_send(format!("{line}\n").into());
    }
    world
        .runtime
        .signal(world.server, Signal::Interrupt)
        .await
        .unwrap();
    assert_eq!(hand.end().await.0.code, 130);
}
