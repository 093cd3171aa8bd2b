//! Servers that print too much, and viewers that read too little.

use std::time::Duration;

use hatchery_runtime::fake::FakeInstance;
use hatchery_vocab::PowerSignal::Start;
use hatchery_vocab::PowerState::{Offline, Running};

use crate::socket::{Socket, listen};
use crate::world::{World, document, eventually, uuid};

/// How many lines a flood has.
const FLOOD: usize = 1_000_000;

async fn running(world: &World) -> FakeInstance {
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    game.print("ready").await;
    world.state(Running).await;
    game
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_lines_stall_nobody() {
    let world = World::new().await;
    let address = listen(&world).await;
    world
        .panel
        .servers
        .lock()
        .insert(uuid('b'), document(uuid('b')));
    world.client.create(uuid('b'), true).await.unwrap();
    world.runtime.next_start().await.exit_with(0);
    let neighbour = world.runtime.next_start().await;

    let game = running(&world).await;
    // One viewer reads nothing at all while the flood lasts.
    let mut frozen = Socket::enter(address, &world, 'a', &["*"]).await;
    let mut reader = Socket::enter(address, &world, 'b', &["*"]).await;
    let chunk = "a line of a very talkative server\n".repeat(1000);
    let flood = tokio::spawn({
        let game = game.clone();
        async move {
            for _ in 0..FLOOD / 1000 {
                game.print_bytes(chunk.as_bytes()).await;
            }
            game.print("the end").await;
        }
    });
    let mut answered = 0;
    while !flood.is_finished() {
        world.client.details(world.server).await.unwrap();
        world
            .client
            .commands(uuid('b'), vec!["tick".to_owned()])
            .await
            .unwrap();
        assert_eq!(neighbour.next_input().await.unwrap(), "tick\n");
        answered += 1;
        tokio::task::yield_now().await;
    }
    assert!(answered > 0);
    flood.await.unwrap();
    let throttling = "Server is outputting console data too quickly -- throttling...";
    while !reader.until("console output").await.contains(throttling) {}
    eventually("the server's task has read everything", || async {
        let log = world.client.logs(world.server, 100).await.unwrap();
        log.len() == 100 && log.iter().any(|line| line == "the end")
    })
    .await;
    // Who slept gets the latest lines, not a million old ones. The throttle lets a line through
    // when its period is over, so the last one is printed until it is seen.
    let printing = async {
        loop {
            game.print("the very end").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let reading = async {
        let mut lines = 0;
        while frozen.until("console output").await != "the very end" {
            lines += 1;
        }
        lines
    };
    tokio::select! {
        lines = reading => assert!(lines < FLOOD / 2, "{lines}"),
        () = printing => {}
    }
}

#[tokio::test]
async fn endless_lines_and_broken_text_come_out_as_text() {
    let world = World::new().await;
    let address = listen(&world).await;
    let game = running(&world).await;
    let mut socket = Socket::enter(address, &world, 'a', &["*"]).await;
    game.print_bytes(&b"x".repeat(100 * 1024)).await;
    assert_eq!(socket.until("console output").await.len(), 64 * 1024);
    game.print_bytes(b"\n").await;
    assert_eq!(socket.until("console output").await.len(), 36 * 1024);
    game.print_bytes(b"caf\xe9 \xff\n\n10% \r20%\r\n").await;
    assert_eq!(socket.until("console output").await, "caf\u{fffd} \u{fffd}");
    assert_eq!(socket.until("console output").await, "10%\r\n20%");
    game.print_bytes(b"last words without an end").await;
    game.exit_with(0);
    assert_eq!(
        socket.until("console output").await,
        "last words without an end"
    );
}

#[tokio::test]
async fn a_crash_is_explained_in_the_daemon_s_voice() {
    let world = World::new().await;
    let address = listen(&world).await;
    let game = running(&world).await;
    let mut socket = Socket::enter(address, &world, 'a', &["*"]).await;
    game.exit_with(7);
    let prefix = "\u{1b}[33m\u{1b}[1m[Hatchery Daemon]:\u{1b}[39m ";
    for text in [
        "---------- Detected server process in a crashed state! ----------",
        "Exit code: 7",
        "Out of memory: false",
    ] {
        assert_eq!(
            socket.until("console output").await,
            format!("{prefix}{text}\u{1b}[0m")
        );
    }
}

#[tokio::test]
async fn a_server_that_reads_nothing_holds_up_nobody() {
    let world = World::new().await;
    let game = running(&world).await;
    for _ in 0..10 {
        let lines = (0..100).map(|number| number.to_string()).collect();
        world.client.commands(world.server, lines).await.unwrap();
    }
    assert!(game.is_running());
    game.exit_with(0);
    drop(game);
    let _again = world.runtime.next_start().await;
    eventually("it is seen to have crashed", || async {
        world.client.details(world.server).await.unwrap().state != Offline
    })
    .await;
    tokio::time::timeout(Duration::from_mins(1), world.client.delete(world.server))
        .await
        .unwrap()
        .unwrap();
}
