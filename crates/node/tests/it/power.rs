//! Starting, stopping, crashing. Time stands still and jumps from one deadline to the next.

use std::time::Duration;

use hatchery_ambient::Clock as _;
use hatchery_runtime::fake::FakeInstance;
use hatchery_runtime::{Exit, RuntimeError, Signal, Usage};
use hatchery_vocab::PowerSignal::{Kill, Restart, Start, Stop};
use hatchery_vocab::PowerState::{Offline, Running, Starting, Stopping};
use serde_json::json;

use crate::world::{World, eventually};

async fn running(world: &World) -> FakeInstance {
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    game.print("ready").await;
    world.state(Running).await;
    game
}

#[tokio::test(start_paused = true)]
async fn a_server_starts_and_says_when_it_is_ready() {
    let world = World::new().await;
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    world.state(Starting).await;
    assert_eq!(game.spec().invocation, "./game {{MODE}}");
    assert!(
        game.spec()
            .environment
            .contains(&("MODE".to_owned(), "creative".to_owned()))
    );
    game.print("not yet").await;
    game.print("now I am ready!").await;
    world.state(Running).await;
    let file = world
        .data
        .path()
        .join(world.server.to_string())
        .join("server.properties");
    let edited = std::fs::read_to_string(file).unwrap();
    assert_eq!(edited.trim(), "server-port=25565");
}

#[tokio::test(start_paused = true)]
async fn the_usage_is_that_of_the_last_second() {
    let world = World::new().await;
    let game = running(&world).await;
    let usage = |cpu_nanos| Usage {
        memory_bytes: 1000,
        memory_limit_bytes: 2000,
        cpu_nanos,
        network_rx_bytes: 3,
        network_tx_bytes: 4,
    };
    game.set_usage(usage(5_000_000_000));
    world.clock.advance(Duration::from_secs(90));
    let utilization = || async {
        world
            .client
            .details(world.server)
            .await
            .unwrap()
            .utilization
    };
    eventually("the usage is known", || async {
        utilization().await.memory_bytes == 1000
    })
    .await;
    game.set_usage(usage(5_000_000_000));
    eventually("an idle second is seen", || async {
        utilization().await.cpu_absolute == 0.0
    })
    .await;
    let seen = utilization().await;
    assert_eq!(
        (seen.network.rx_bytes, seen.network.tx_bytes, seen.uptime),
        (3, 4, 90_000)
    );
    game.set_usage(usage(5_500_000_000));
    eventually("a half busy second is seen", || async {
        utilization().await.cpu_absolute > 0.0
    })
    .await;
    assert!((utilization().await.cpu_absolute - 50.0).abs() < 5.0);
    game.exit_with(0);
    world.client.power(world.server, Kill).await.unwrap();
    eventually("an idle server uses nothing", || async {
        utilization().await.memory_bytes == 0
    })
    .await;
    assert_eq!(utilization().await.memory_limit_bytes, 2000);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_a_ready_line_runs_at_once() {
    let silent = |document: &mut serde_json::Value| {
        document["process_configuration"]["startup"]["done"] = json!([]);
    };
    let world = World::with(silent, |_| {}).await;
    world.client.power(world.server, Start).await.unwrap();
    world.state(Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_ready_line_that_never_comes_is_not_waited_for_for_ever() {
    let world = World::new().await;
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    game.print("some other words").await;
    tokio::time::sleep(Duration::from_mins(6)).await;
    world.state(Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_asked_for_on_the_console_and_ends_clean_whatever_the_code() {
    let world = World::new().await;
    let game = running(&world).await;
    world.client.power(world.server, Stop).await.unwrap();
    assert_eq!(game.next_input().await.unwrap(), "stop\n");
    world.state(Stopping).await;
    game.exit_with(143);
    world.state(Offline).await;
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert!(
        world.runtime.instance(world.server).is_none(),
        "it was restarted"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_its_stop_is_ended_harder_and_harder() {
    let by_signal = |document: &mut serde_json::Value| {
        document["process_configuration"]["stop"] = json!({"type": "signal", "value": "C"});
    };
    let world = World::with(by_signal, |_| {}).await;
    let game = running(&world).await;
    world.client.power(world.server, Stop).await.unwrap();
    assert_eq!(game.next_signal().await, Some(Signal::Interrupt));
    assert_eq!(game.next_signal().await, Some(Signal::Terminate));
    assert_eq!(game.next_signal().await, Some(Signal::Kill));
    world.state(Offline).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_even_a_kill_does_not_end_is_forgotten() {
    let world = World::new().await;
    let game = running(&world).await;
    game.ignore_kill();
    world.client.power(world.server, Kill).await.unwrap();
    assert_eq!(game.next_signal().await, Some(Signal::Kill));
    world.state(Offline).await;
    eventually("it is forgotten", || async {
        world.runtime.destroyed() == [world.server]
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn killing_helps_while_a_stop_hangs() {
    let world = World::new().await;
    let game = running(&world).await;
    world.client.power(world.server, Stop).await.unwrap();
    game.next_input().await.unwrap();
    world.client.power(world.server, Kill).await.unwrap();
    assert_eq!(game.next_signal().await, Some(Signal::Kill));
    world.state(Offline).await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_stops_and_starts() {
    let world = World::new().await;
    let game = running(&world).await;
    world.client.power(world.server, Restart).await.unwrap();
    game.next_input().await.unwrap();
    game.exit_with(0);
    let again = world.runtime.next_start().await;
    again.print("ready").await;
    world.state(Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_restarts_and_a_second_one_does_not() {
    let world = World::new().await;
    running(&world).await.exit_with(1);
    let again = world.runtime.next_start().await;
    again.print("ready").await;
    world.state(Running).await;
    world.clock.advance(Duration::from_secs(59));
    again.exit(Exit {
        code: 1,
        out_of_memory: true,
    });
    world.state(Offline).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    world.state(Offline).await;
    assert!(world.runtime.instance(world.server).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_start_is_offline_again() {
    let world = World::new().await;
    world
        .runtime
        .fail_next_prepare(RuntimeError::Unsupported("no image".to_owned()));
    world.client.power(world.server, Start).await.unwrap();
    let calls = || world.panel.calls.lock().len();
    let before = calls();
    eventually("the start was tried", || async { calls() > before }).await;
    world.state(Offline).await;
    // Once the failed start is over, the next one is let in.
    eventually("it starts after all", || async {
        world.client.power(world.server, Start).await.unwrap();
        world.runtime.instance(world.server).is_some()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_over_its_disk_limit_is_stopped_and_not_started_again() {
    let small =
        |document: &mut serde_json::Value| document["settings"]["build"]["disk_space"] = json!(1);
    let world = World::with(small, |config| {
        config.disk_check_interval = Duration::from_secs(1);
    })
    .await;
    let game = running(&world).await;
    let file = world.data.path().join(world.server.to_string()).join("big");
    std::fs::write(&file, vec![0; 2 << 20]).unwrap();
    assert_eq!(game.next_input().await.unwrap(), "stop\n");
    game.exit_with(0);
    world.state(Offline).await;
    world.client.power(world.server, Start).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(world.runtime.instance(world.server).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_suspension_stops_and_keeps_from_starting() {
    let world = World::new().await;
    let game = running(&world).await;
    world.panel.change(world.server, |document| {
        document["settings"]["suspended"] = json!(true);
    });
    world.client.sync(world.server).await.unwrap();
    game.next_input().await.unwrap();
    game.exit_with(0);
    world.state(Offline).await;
    assert!(
        world
            .client
            .details(world.server)
            .await
            .unwrap()
            .is_suspended
    );
    let refused = world.client.power(world.server, Start).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with("Cannot start or restart a server that is suspended."),
        "{refused}"
    );
    assert!(world.clock.now().seconds() > 0);
}

#[tokio::test(start_paused = true)]
async fn new_limits_reach_the_running_server() {
    let world = World::new().await;
    let game = running(&world).await;
    world.panel.change(world.server, |document| {
        document["settings"]["build"]["memory_limit"] = json!(1000);
    });
    world.client.sync(world.server).await.unwrap();
    eventually("the limit is applied", || async {
        game.limits().memory.get() == 1150
    })
    .await;
}
