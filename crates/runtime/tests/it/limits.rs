//! Memory, processes, processors.

use hatchery_runtime::{ResourceLimits, Runtime, Signal};
use hatchery_vocab::{CpuPercent, MiB};

use crate::support::{World, code, limits, machine_has};

#[tokio::test]
async fn too_much_memory_ends_the_game_and_is_told() {
    let world = World::new();
    if !world.has_groups() {
        return;
    }
    let (exit, _) = world
        .run("x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo survived")
        .await;
    assert_eq!(exit.code, 137);
    assert!(exit.out_of_memory);
    // The flag belongs to that instance alone.
    assert_eq!(world.run("exit 1").await.0, code(1));
}

#[tokio::test]
async fn the_memory_file_system_counts() {
    let world = World::new();
    let (_, seen) = world
        .run("head -c 300m /dev/zero > /tmp/big; ls -l /tmp/big | wc -l; df -m /tmp | tail -1")
        .await;
    assert!(
        seen.contains("No space left on device") || seen.contains("Killed"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_fork_bomb_stays_inside_and_can_be_killed() {
    let world = World::new();
    // The count is made without a process of its own.
    let count =
        "while :; do all=(/proc/[0-9]*); echo \"count ${#all[@]}.\"; read -t 0.05 line; done";
    let mut hand = world
        .start(&format!(
            "bomb() {{ bomb | bomb & }}; bomb 2>/dev/null; {count}"
        ))
        .await;
    let mut most = 0;
    while most < 100 {
        hand.until("\r\ncount ").await;
        hand.until(".").await;
        let all = hand
            .passed
            .rsplit("count ")
            .next()
            .unwrap()
            .trim_end_matches('.');
        most = most.max(all.parse::<u32>().unwrap());
        assert!(most <= limits().pids, "{most} processes");
    }
    assert!(world.runtime.usage(world.server).await.is_ok());
    world
        .runtime
        .signal(world.server, Signal::Kill)
        .await
        .unwrap();
    assert_eq!(hand.end().await.0.code, 137);
    assert_eq!(world.run("true").await.0, code(0));
}

#[tokio::test]
async fn usage_is_measured_and_limits_can_change() {
    let world = World::new();
    if !world.has_groups() {
        return;
    }
    let mut hand = world
        .start(
            "echo ready; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo worked; read line",
        )
        .await;
    hand.until("\r\nready\r\n").await;
    hand.until("worked\r\n").await;
    let usage = world.runtime.usage(world.server).await.unwrap();
    assert!(usage.cpu_nanos > 1_000_000, "{usage:?}");
    assert!(
        usage.memory_bytes > 100_000 && usage.memory_bytes < 128 * 1024 * 1024,
        "{usage:?}"
    );
    assert_eq!(usage.memory_limit_bytes, 128 * 1024 * 1024);
    let more = ResourceLimits {
        memory: MiB::new(256),
        cpu: CpuPercent::new(50),
        ..limits()
    };
    world
        .runtime
        .update_limits(world.server, &more)
        .await
        .unwrap();
    let usage = world.runtime.usage(world.server).await.unwrap();
    assert_eq!(usage.memory_limit_bytes, 256 * 1024 * 1024);
    hand.send("").await;
    assert_eq!(hand.end().await.0, code(0));
}

#[tokio::test]
async fn processors_can_be_chosen() {
    if !machine_has("nproc") {
        return;
    }
    let world = World::new();
    if !world.has_groups() {
        return;
    }
    let mut spec = world.spec("nproc");
    spec.limits.threads = Some("0".into());
    let (exit, seen) = world.start_spec(&spec).await.end().await;
    assert_eq!(exit, code(0));
    assert!(seen.ends_with("\r\n1\r\n"), "{seen}");
}
