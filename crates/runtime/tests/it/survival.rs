//! The panel dies; games do not.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use hatchery_runtime::{Job, Runtime, RuntimeError, Signal};

use crate::support::{Hand, World, code};

/// Starts a panel of its own process and kills it when the server has started.
fn killed_panel(world: &World, line: &str) {
    let mut panel = Command::new(env!("CARGO_BIN_EXE_runtime-probe"))
        .arg("panel")
        .arg(world.data.path().join("run"))
        .arg(world.root())
        .arg(world.server.to_string())
        .arg(line)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answer = String::new();
    BufReader::new(panel.stdout.take().unwrap())
        .read_line(&mut answer)
        .unwrap();
    assert_eq!(answer, "started\n");
    panel.kill().unwrap();
    panel.wait().unwrap();
}

#[tokio::test]
async fn a_game_survives_a_killed_panel_with_its_console() {
    let world = World::new();
    killed_panel(
        &world,
        "echo before; touch alive; while read line; do echo \"got <$line>\"; done",
    );
    let runtime = world.restarted();
    let unattached = runtime.start(&world.spec("true")).await;
    assert!(
        matches!(unattached, Err(RuntimeError::AlreadyRunning)),
        "{unattached:?}"
    );
    let mut found = runtime.reattach().await.unwrap();
    assert_eq!(found.len(), 1);
    let found = found.remove(0);
    assert_eq!((found.server, found.job), (world.server, Job::Game));
    let mut hand = Hand::new(found.console);
    hand.until(":/home/container$ echo before").await;
    hand.until("\r\nbefore\r\n").await;
    hand.send("still there?").await;
    hand.until("got <still there?>\r\n").await;
    assert!(runtime.usage(world.server).await.unwrap().memory_bytes > 0);
    assert!(runtime.reattach().await.unwrap().is_empty(), "found once");
    runtime.signal(world.server, Signal::Kill).await.unwrap();
    assert_eq!(hand.end().await.0, code(137));
    assert!(
        world.restarted().reattach().await.unwrap().is_empty(),
        "nothing is left"
    );
}

#[tokio::test]
async fn an_end_that_nobody_saw_is_told_later() {
    let world = World::new();
    killed_panel(&world, "echo last words; exit 5");
    let record = world
        .data
        .path()
        .join("run")
        .join(world.server.to_string())
        .join("exit.json");
    while !record.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let runtime = world.restarted();
    let found = runtime.reattach().await.unwrap().remove(0);
    let (exit, seen) = Hand::new(found.console).end().await;
    assert_eq!(exit, code(5));
    assert!(seen.ends_with("\r\nlast words\r\n"), "{seen}");
    assert!(runtime.reattach().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_killed_keeper_takes_its_game_along_and_is_noticed() {
    let world = World::new();
    if !world.has_groups() {
        return;
    }
    let mut hand = world
        .start("echo ready; while :; do date +%s%N > beat; sleep 0.02; done")
        .await;
    hand.until("\r\nready\r\n").await;
    let keeper = keeper_of(&world);
    rustix::process::kill_process(keeper, rustix::process::Signal::KILL).unwrap();
    assert_eq!(hand.end().await.0, code(137));
    let (_, seen) = world
        .run("a=$(cat beat); sleep 0.3; [ \"$a\" = \"$(cat beat)\" ] && echo silence")
        .await;
    assert!(seen.contains("\r\nsilence\r\n"), "{seen}");
}

/// The keeper is the parent of the group's first process.
fn keeper_of(world: &World) -> rustix::process::Pid {
    let run = world.data.path().join("run").join(world.server.to_string());
    let record = std::fs::read_to_string(run.join("instance.json")).unwrap();
    let group = record
        .split('"')
        .find(|text| text.starts_with("/sys/fs/cgroup"))
        .unwrap();
    let members = std::fs::read_to_string(format!("{group}/cgroup.procs")).unwrap();
    let first = members.lines().next().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{first}/status")).unwrap();
    let parent = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap();
    rustix::process::Pid::from_raw(parent.trim().parse().unwrap()).unwrap()
}

#[tokio::test]
async fn destroying_leaves_nothing_but_the_files() {
    let world = World::new();
    let mut hand = world.start("touch kept; echo ready; read line").await;
    hand.until("\r\nready\r\n").await;
    world.runtime.destroy(world.server).await.unwrap();
    assert_eq!(hand.end().await.0, code(137));
    let run = world.data.path().join("run");
    assert!(!run.join(world.server.to_string()).exists());
    assert!(
        !std::fs::read_to_string(run.join("users.json"))
            .unwrap_or_default()
            .contains(&world.server.to_string())
    );
    assert!(world.root().join("kept").exists());
}
