//! What a node finds when it starts, and what it hands over.

use std::time::Duration;

use hatchery_runtime::Exit;
use hatchery_vocab::PowerSignal::{Start, Stop};
use hatchery_vocab::PowerState::{Offline, Running};

use crate::world::{World, document, eventually, uuid};

#[tokio::test(start_paused = true)]
async fn a_running_server_is_adopted_with_its_console() {
    let world = World::new().await;
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    game.print("ready").await;
    world.state(Running).await;
    let world = world.restart().await;
    world.state(Running).await;
    game.print("said after the restart").await;
    eventually("both lines are in the log", || async {
        world.client.logs(world.server, 100).await.unwrap() == ["ready", "said after the restart"]
    })
    .await;
    world
        .client
        .commands(world.server, vec!["hello".to_owned()])
        .await
        .unwrap();
    assert_eq!(game.next_input().await.unwrap(), "hello\n");
    world.client.power(world.server, Stop).await.unwrap();
    assert_eq!(game.next_input().await.unwrap(), "stop\n");
    game.exit_with(0);
    world.state(Offline).await;
    assert_eq!(world.panel.bodies("servers/reset").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ended_while_nobody_watched_has_crashed() {
    let world = World::new().await;
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    game.print("ready").await;
    world.state(Running).await;
    world.runtime.detach_all();
    game.exit(Exit::KILLED);
    let world = world.restart().await;
    let again = world.runtime.next_start().await;
    again.print("ready").await;
    world.state(Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_running_server_that_the_panel_does_not_know_is_ended() {
    let world = World::new().await;
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    world.panel.servers.lock().clear();
    let world = world.restart().await;
    assert!(!game.is_running());
    assert!(
        world
            .client
            .details(world.server)
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(world.client.servers().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_panel_that_comes_late_is_waited_for() {
    let world = World::new().await;
    *world.panel.failures.lock() = 30;
    let world = world.restart().await;
    assert!(world.node.is_booted());
    world.state(Offline).await;
}

#[tokio::test(start_paused = true)]
async fn one_broken_document_does_not_hide_the_others() {
    let world = World::new().await;
    world.panel.change(world.server, |document| {
        document["settings"]["build"] = "broken".into();
    });
    world
        .panel
        .servers
        .lock()
        .insert(uuid('b'), document(uuid('b')));
    let world = world.restart().await;
    assert!(
        world
            .client
            .details(world.server)
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(world.client.details(uuid('b')).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_server_leaves_nothing() {
    let world = World::new().await;
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    let folder = world.data.path().join(world.server.to_string());
    assert!(folder.exists());
    world.client.delete(world.server).await.unwrap();
    assert!(!game.is_running());
    assert!(
        world
            .client
            .details(world.server)
            .await
            .unwrap_err()
            .is_not_found()
    );
    eventually("the folder is gone", || async { !folder.exists() }).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
}
