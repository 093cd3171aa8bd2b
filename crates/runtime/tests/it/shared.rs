//! What every runtime that runs real programs must do, whatever it runs them in.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use hatchery_runtime::{
    InstallSpec, InstanceSpec, Job, ResourceLimits, Runtime, RuntimeError, Signal,
};
use hatchery_vocab::{CpuPercent, MiB, ServerUuid};

use crate::docker::DockerWorld;
use crate::support::{Hand, World, code, limits};

/// A machine with one server.
pub(crate) trait Machine {
    fn runtime(&self) -> &dyn Runtime;
    fn server(&self) -> ServerUuid;
    fn root(&self) -> PathBuf;
    /// A server that runs this line of shell.
    fn spec(&self, line: &str) -> InstanceSpec;
    /// An installation that runs this script.
    fn script(&self, script: &str) -> InstallSpec;
    /// The runtime as a new panel sees it.
    fn restarted(&self) -> BoxFuture<'_, Arc<dyn Runtime>>;

    fn start(&self, line: &str) -> impl Future<Output = Hand> {
        async move { Hand::new(self.runtime().start(&self.spec(line)).await.unwrap()) }
    }

    /// Starts a server from a panel that dies as soon as the server has printed a text.
    fn leave(&self, line: &str, text: &str)
    where
        Self: Sync,
    {
        let panel = || {
            let tokio = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            tokio.block_on(async {
                let console = self
                    .restarted()
                    .await
                    .start(&self.spec(line))
                    .await
                    .unwrap();
                Hand::new(console).until(text).await;
            });
        };
        std::thread::scope(|scope| scope.spawn(panel).join().unwrap());
    }
}

impl Machine for World {
    fn runtime(&self) -> &dyn Runtime {
        &self.runtime
    }

    fn server(&self) -> ServerUuid {
        self.server
    }

    fn root(&self) -> PathBuf {
        World::root(self)
    }

    fn spec(&self, line: &str) -> InstanceSpec {
        World::spec(self, line)
    }

    fn script(&self, script: &str) -> InstallSpec {
        InstallSpec {
            server: self.server,
            root: World::root(self),
            entrypoint: "ash".into(),
            script: script.into(),
            environment: vec![("VERSION".into(), "1.2".into())],
            image: String::new(),
            limits: limits(),
        }
    }

    fn restarted(&self) -> BoxFuture<'_, Arc<dyn Runtime>> {
        Box::pin(async { Arc::new(World::restarted(self)) as Arc<dyn Runtime> })
    }
}

macro_rules! on_every_runtime {
    ($($name:ident)*) => {
        mod process {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::World::new()).await;
            })*
        }
        mod docker {
            $(#[tokio::test]
            async fn $name() {
                if let Some(world) = super::DockerWorld::new().await {
                    super::$name(world).await;
                }
            })*
        }
    };
}

on_every_runtime! {
    a_line_is_run_with_its_environment
    a_server_runs_once_at_a_time
    what_ignores_signals_is_killed_with_its_children
    an_interrupt_is_the_game_s_to_handle
    every_line_reaches_a_reader_that_keeps_up
    a_sleeping_reader_stops_nobody
    a_game_that_floods_its_console_still_hears
    bytes_pass_as_they_are_and_at_once
    too_much_memory_ends_the_game_and_is_told
    usage_is_measured_and_limits_change
    a_script_fills_the_folder
    an_installation_can_be_aborted
    a_restart_of_the_panel_ends_nothing
    an_end_that_nobody_saw_is_told_once
    destroying_ends_everything
}

async fn a_line_is_run_with_its_environment(world: impl Machine + Sync) {
    let mut spec = world.spec(
        "echo \"<{{GREETING}}>\"; pwd; echo kept > file; read line; echo \"got <$line>\"; exit 7",
    );
    spec.environment
        .push(("GREETING".into(), "$(id) `id` ; rm".into()));
    let mut hand = Hand::new(world.runtime().start(&spec).await.unwrap());
    hand.until("\r\n<$(id) `id` ; rm>\r\n").await;
    hand.until("/home/container\r\n").await;
    hand.send("hello").await;
    let (exit, rest) = hand.end().await;
    assert_eq!(exit, code(7));
    assert!(rest.ends_with("got <hello>\r\n"), "{rest}");
    assert_eq!(
        std::fs::read_to_string(world.root().join("file")).unwrap(),
        "kept\n"
    );
}

async fn a_server_runs_once_at_a_time(world: impl Machine + Sync) {
    let mut hand = world.start("echo first; read line").await;
    hand.until("\r\nfirst\r\n").await;
    let second = world.runtime().start(&world.spec("true")).await;
    assert!(
        matches!(second, Err(RuntimeError::AlreadyRunning)),
        "{second:?}"
    );
    let script = world.runtime().install(&world.script("true\n")).await;
    assert!(
        matches!(script, Err(RuntimeError::AlreadyRunning)),
        "{script:?}"
    );
    hand.send("").await;
    assert_eq!(hand.end().await.0, code(0));
    assert_eq!(world.start("exit 3").await.end().await.0, code(3));
    let gone = world.runtime().signal(world.server(), Signal::Kill).await;
    assert!(matches!(gone, Err(RuntimeError::NotFound)), "{gone:?}");
    let gone = world.runtime().usage(world.server()).await;
    assert!(matches!(gone, Err(RuntimeError::NotFound)), "{gone:?}");
}

async fn what_ignores_signals_is_killed_with_its_children(world: impl Machine + Sync) {
    let mut hand = world
        .start("trap '' INT TERM QUIT; (while :; do sleep 1; touch child; done) & echo deaf; while :; do sleep 1; done")
        .await;
    hand.until("\r\ndeaf\r\n").await;
    for signal in [Signal::Interrupt, Signal::Terminate, Signal::Quit] {
        world
            .runtime()
            .signal(world.server(), signal)
            .await
            .unwrap();
    }
    world.runtime().usage(world.server()).await.unwrap();
    world
        .runtime()
        .signal(world.server(), Signal::Kill)
        .await
        .unwrap();
    assert_eq!(hand.end().await.0, code(137));
}

async fn an_interrupt_is_the_game_s_to_handle(world: impl Machine + Sync) {
    let mut hand = world
        .start("trap 'echo saved; exit 5' INT; echo ready; while :; do sleep 0.1; done")
        .await;
    hand.until("\r\nready\r\n").await;
    world
        .runtime()
        .signal(world.server(), Signal::Interrupt)
        .await
        .unwrap();
    let (exit, rest) = hand.end().await;
    assert!(rest.contains("saved\r\n"), "{rest}");
    assert_eq!(exit, code(5));
}

async fn every_line_reaches_a_reader_that_keeps_up(world: impl Machine + Sync) {
    let (exit, seen) = world
        .start("echo go; seq 1 20000; echo end")
        .await
        .end()
        .await;
    assert_eq!(exit, code(0));
    let numbers: Vec<u32> = seen
        .lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect();
    assert!(
        numbers.iter().copied().eq(1..=20_000),
        "{} lines",
        numbers.len()
    );
}

async fn a_sleeping_reader_stops_nobody(world: impl Machine + Sync) {
    // Far more than any buffer holds, while nobody reads.
    let hand = world
        .start("seq 1 1000000; echo done > finished; echo the last")
        .await;
    while !world.root().join("finished").exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let (exit, seen) = hand.end().await;
    assert_eq!(exit, code(0));
    assert!(
        seen.contains("bytes of output were skipped"),
        "{}",
        seen.len()
    );
    assert!(seen.ends_with("the last\r\n"));
    assert!(seen.len() < 5_000_000);
}

async fn a_game_that_floods_its_console_still_hears(world: impl Machine + Sync) {
    let hand = world
        .start("yes & read line; echo \"heard <$line>\"; exit 6")
        .await;
    hand.send("stop").await;
    let (exit, seen) = hand.end().await;
    assert_eq!(exit, code(6));
    assert!(seen.contains("heard <stop>\r\n"), "{}", seen.len());
}

async fn bytes_pass_as_they_are_and_at_once(world: impl Machine + Sync) {
    // Control bytes first, no line end anywhere: progress and prompts must be seen at once.
    let mut console = world
        .runtime()
        .start(&world.spec("stty raw -echo; printf '\\001\\002\\377[>'; read -n 1 key; printf \"$key\\r50%%\\r\"; head -c 3000000 /dev/zero"))
        .await
        .unwrap();
    let mut seen: Vec<u8> = Vec::new();
    while !seen.ends_with(b"\x01\x02\xff[>") {
        seen.extend(console.output.recv().await.unwrap());
    }
    console.input.send(Bytes::from_static(b"x")).await.unwrap();
    while let Some(chunk) = console.output.recv().await {
        assert!(chunk.len() <= hatchery_runtime::MAX_CHUNK);
        seen.extend(chunk);
    }
    assert_eq!(console.exit.await.unwrap(), code(0));
    let zeros = seen.iter().rev().take_while(|byte| **byte == 0).count();
    assert_eq!(zeros, 3_000_000);
    assert!(seen[..seen.len() - zeros].ends_with(b"[>x\r50%\r"));
}

async fn too_much_memory_ends_the_game_and_is_told(world: impl Machine + Sync) {
    let mut spec = world.spec("echo hungry; exec awk 'BEGIN { x = \"x\"; while (1) x = x x }'");
    spec.limits.memory = MiB::new(32);
    let (exit, seen) = Hand::new(world.runtime().start(&spec).await.unwrap())
        .end()
        .await;
    assert!(seen.contains("hungry"), "{seen}");
    assert!(exit.out_of_memory, "{exit:?} {seen}");
    assert_eq!(exit.code, 137);
}

async fn usage_is_measured_and_limits_change(world: impl Machine + Sync) {
    let line =
        "echo ready; i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo worked; read line";
    let mut hand = world.start(line).await;
    hand.until("\r\nworked\r\n").await;
    let usage = world.runtime().usage(world.server()).await.unwrap();
    assert!(usage.cpu_nanos > 1_000_000, "{usage:?}");
    assert!(
        usage.memory_bytes > 10_000 && usage.memory_bytes < MiB::new(128).bytes(),
        "{usage:?}"
    );
    assert_eq!(usage.memory_limit_bytes, MiB::new(128).bytes());
    let more = ResourceLimits {
        memory: MiB::new(256),
        cpu: CpuPercent::new(50),
        ..limits()
    };
    world
        .runtime()
        .update_limits(world.server(), &more)
        .await
        .unwrap();
    let usage = world.runtime().usage(world.server()).await.unwrap();
    assert_eq!(usage.memory_limit_bytes, MiB::new(256).bytes());
    hand.send("").await;
    assert_eq!(hand.end().await.0, code(0));
}

async fn a_script_fills_the_folder(world: impl Machine + Sync) {
    let script = "cd /mnt/server\necho \"version $VERSION\" > made\necho oh no >&2\nexit 9\n";
    let console = world
        .runtime()
        .install(&world.script(script))
        .await
        .unwrap();
    let (exit, seen) = Hand::new(console).end().await;
    assert_eq!(exit, code(9), "{seen}");
    assert!(seen.contains("oh no\r\n"), "{seen}");
    // What the script made is the game's to change.
    let (_, seen) = world
        .start("cat made; echo more >> made && tail -n 1 made")
        .await
        .end()
        .await;
    assert!(seen.ends_with("version 1.2\r\nmore\r\n"), "{seen}");
}

async fn an_installation_can_be_aborted(world: impl Machine + Sync) {
    let console = world
        .runtime()
        .install(&world.script("echo working\nsleep 1000\n"))
        .await
        .unwrap();
    let mut hand = Hand::new(console);
    hand.until("working\r\n").await;
    world.runtime().abort_install(world.server()).await.unwrap();
    assert_eq!(hand.end().await.0, code(137));
    assert_eq!(world.start("true").await.end().await.0, code(0));
}

async fn a_restart_of_the_panel_ends_nothing(world: impl Machine + Sync) {
    world.leave(
        "echo before; while read line; do echo \"got <$line>\"; done",
        "\r\nbefore\r\n",
    );
    let runtime = world.restarted().await;
    let mut found = runtime.reattach().await.unwrap();
    assert_eq!(found.len(), 1);
    let found = found.remove(0);
    assert_eq!((found.server, found.job), (world.server(), Job::Game));
    let mut after = Hand::new(found.console);
    after.until("before\r\n").await;
    after.send("still there?").await;
    after.until("got <still there?>\r\n").await;
    assert!(runtime.usage(world.server()).await.unwrap().memory_bytes > 0);
    assert!(runtime.reattach().await.unwrap().is_empty(), "found once");
    runtime.signal(world.server(), Signal::Kill).await.unwrap();
    assert_eq!(after.end().await.0, code(137));
}

async fn destroying_ends_everything(world: impl Machine + Sync) {
    world.runtime().destroy(world.server()).await.unwrap();
    let mut hand = world
        .start("echo kept > file; echo ready; sleep 1000")
        .await;
    hand.until("\r\nready\r\n").await;
    world.runtime().destroy(world.server()).await.unwrap();
    assert_eq!(hand.end().await.0.code, 137);
    assert!(world.root().join("file").exists());
    assert!(world.restarted().await.reattach().await.unwrap().is_empty());
}

async fn an_end_that_nobody_saw_is_told_once(world: impl Machine + Sync) {
    // The first console dies with its runtime; only then does the game end.
    world.leave(
        "echo waiting; while [ ! -e go ]; do sleep 0.1; done; echo the end; exit 4",
        "\r\nwaiting\r\n",
    );
    std::fs::write(world.root().join("go"), "").unwrap();
    let runtime = world.restarted().await;
    let mut found = runtime.reattach().await.unwrap();
    assert_eq!(found.len(), 1);
    let (exit, seen) = Hand::new(found.remove(0).console).end().await;
    assert_eq!(exit, code(4));
    assert!(seen.ends_with("the end\r\n"), "{seen}");
    assert!(world.restarted().await.reattach().await.unwrap().is_empty());
}
