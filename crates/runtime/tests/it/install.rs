//! Installations: a script in the confinement of a game.

use hatchery_runtime::{InstallSpec, Job, Runtime, RuntimeError, Signal};

use crate::support::{Hand, World, code, limits};

fn script(world: &World, script: &str) -> InstallSpec {
    InstallSpec {
        server: world.server,
        root: world.root(),
        entrypoint: "ash".into(),
        script: script.into(),
        environment: vec![("VERSION".into(), "1.2".into())],
        image: String::new(),
        limits: limits(),
    }
}

#[tokio::test]
async fn a_script_fills_the_folder_that_the_game_then_owns() {
    let world = World::new();
    std::fs::write(world.root().join("by-root"), "x").unwrap();
    let text = "#!/bin/ash\ncd /mnt/server\necho \"version $VERSION\" > made\necho changed > by-root\n\
        echo no > /mnt/install/install.sh || echo 'script is safe'\n[ ! -e /home/container ] && echo done\n";
    let console = world.runtime.install(&script(&world, text)).await.unwrap();
    let (exit, seen) = Hand::new(console).end().await;
    assert_eq!(exit, code(0), "{seen}");
    assert!(seen.contains("script is safe\r\ndone\r\n"), "{seen}");
    let (_, seen) = world
        .run("cat made by-root; echo more >> made && tail -1 made")
        .await;
    assert!(
        seen.ends_with("version 1.2\r\nchanged\r\nmore\r\n"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_failing_script_says_so() {
    let world = World::new();
    let console = world
        .runtime
        .install(&script(&world, "echo oh no >&2\nexit 9\n"))
        .await
        .unwrap();
    let (exit, seen) = Hand::new(console).end().await;
    assert_eq!(exit, code(9));
    assert_eq!(seen, "oh no\r\n");
}

#[tokio::test]
async fn an_installation_can_be_aborted_and_survives_a_restart_before_that() {
    let world = World::new();
    let console = world
        .runtime
        .install(&script(&world, "echo working\nsleep 1000 &\nsleep 1000\n"))
        .await
        .unwrap();
    let mut hand = Hand::new(console);
    hand.until("working\r\n").await;
    let start = world.runtime.start(&world.spec("true")).await;
    assert!(
        matches!(start, Err(RuntimeError::AlreadyRunning)),
        "{start:?}"
    );

    let runtime = world.restarted();
    let found = runtime.reattach().await.unwrap().remove(0);
    assert_eq!(found.job, Job::Install);
    let mut hand = Hand::new(found.console);
    hand.until("working\r\n").await;
    runtime.abort_install(world.server).await.unwrap();
    assert_eq!(hand.end().await.0, code(137));
    let none = runtime.abort_install(world.server).await;
    assert!(matches!(none, Err(RuntimeError::NotFound)), "{none:?}");
}

#[tokio::test]
async fn a_game_is_no_installation_to_abort() {
    let world = World::new();
    let mut hand = world.start("echo ready; read line").await;
    hand.until("\r\nready\r\n").await;
    let refused = world.runtime.abort_install(world.server).await;
    assert!(
        matches!(refused, Err(RuntimeError::NotFound)),
        "{refused:?}"
    );
    world
        .runtime
        .signal(world.server, Signal::Kill)
        .await
        .unwrap();
    hand.end().await;
}
