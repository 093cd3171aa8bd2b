//! Installations.

use std::time::Duration;

use hatchery_runtime::{Exit, Job, RuntimeError};
use hatchery_vocab::PowerSignal::{Kill, Start};
use hatchery_vocab::PowerState::{Offline, Running};
use serde_json::json;

use crate::world::{World, document, eventually, uuid};

async fn reported(world: &World, server: hatchery_vocab::ServerUuid, expected: serde_json::Value) {
    let path = format!("servers/{server}/install");
    eventually("the installation is reported", || async {
        !world.panel.bodies(&path).is_empty()
    })
    .await;
    assert_eq!(world.panel.bodies(&path), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_new_server_is_installed_and_started() {
    let world = World::new().await;
    let new = uuid('b');
    world.panel.servers.lock().insert(new, document(new));
    world.client.create(new, true).await.unwrap();
    let install = world.runtime.next_start().await;
    assert_eq!((install.job(), install.server()), (Job::Install, new));
    let spec = install.install_spec();
    assert_eq!(
        (spec.script.as_str(), spec.entrypoint.as_str()),
        ("echo hello\n", "bash")
    );
    assert_eq!(
        spec.limits.memory.get(),
        1024 * 115 / 100,
        "the installer's floor"
    );
    install.print("fetching").await;
    // Its exit code is not judged (node-protocol.md §6.6).
    install.exit_with(3);
    reported(&world, new, json!({"successful": true, "reinstall": false})).await;
    let game = world.runtime.next_start().await;
    assert_eq!((game.job(), game.server()), (Job::Game, new));
    let duplicate = world.client.create(new, false).await.unwrap_err();
    assert_eq!(duplicate.status().unwrap().as_u16(), 409);
}

#[tokio::test(start_paused = true)]
async fn a_reinstallation_stops_the_server_first() {
    let world = World::new().await;
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    game.print("ready").await;
    world.state(Running).await;
    world.client.reinstall(world.server).await.unwrap();
    game.next_input().await.unwrap();
    let refused = world.client.reinstall(world.server).await.unwrap_err();
    assert_eq!(refused.status().unwrap().as_u16(), 409);
    // It ignores the stop and is killed after ten seconds and ten more.
    let install = world.runtime.next_start().await;
    assert_eq!(install.job(), Job::Install);
    install.exit_with(0);
    reported(
        &world,
        world.server,
        json!({"successful": true, "reinstall": true}),
    )
    .await;
    world.state(Offline).await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_run_to_its_end_has_failed() {
    for (case, exit) in [
        ("killed", Exit::KILLED),
        (
            "starved",
            Exit {
                code: 1,
                out_of_memory: true,
            },
        ),
    ] {
        let world = World::new().await;
        world.client.install(world.server).await.unwrap();
        world.runtime.next_start().await.exit(exit);
        reported(
            &world,
            world.server,
            json!({"successful": false, "reinstall": false}),
        )
        .await;
        assert!(world.runtime.instance(world.server).is_none(), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_installation_that_cannot_start_has_failed() {
    let world = World::new().await;
    world
        .runtime
        .fail_next_start(RuntimeError::Unsupported("no sandbox".to_owned()));
    world.client.install(world.server).await.unwrap();
    reported(
        &world,
        world.server,
        json!({"successful": false, "reinstall": false}),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_installation_that_hangs_can_be_killed() {
    let world = World::new().await;
    world.client.install(world.server).await.unwrap();
    let install = world.runtime.next_start().await;
    world.client.power(world.server, Start).await.unwrap();
    world.client.power(world.server, Kill).await.unwrap();
    reported(
        &world,
        world.server,
        json!({"successful": false, "reinstall": false}),
    )
    .await;
    assert!(!install.is_running());
}

#[tokio::test(start_paused = true)]
async fn scripts_can_be_skipped() {
    let skip =
        |document: &mut serde_json::Value| document["settings"]["skip_egg_scripts"] = json!(true);
    let world = World::with(skip, |_| {}).await;
    world.client.install(world.server).await.unwrap();
    reported(
        &world,
        world.server,
        json!({"successful": true, "reinstall": false}),
    )
    .await;
    assert!(world.runtime.instance(world.server).is_none());
}

#[tokio::test(start_paused = true)]
async fn an_installation_survives_the_node() {
    let world = World::new().await;
    world.client.install(world.server).await.unwrap();
    let install = world.runtime.next_start().await;
    let world = world.restart().await;
    install.print("still here").await;
    install.exit_with(0);
    reported(
        &world,
        world.server,
        json!({"successful": true, "reinstall": false}),
    )
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.state(Offline).await;
}
