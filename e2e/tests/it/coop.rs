//! A game that behaves badly, under both runtimes: each fault has a clear outcome, and the panel
//! goes on.

use hatchery_e2e::Engine;

use crate::world::{World, processes_with, wait_for};

/// Each behaviour as a test of its own, under each runtime.
macro_rules! behaviours {
    ($($name:ident)*) => {
        mod as_a_process {
            use hatchery_e2e::Engine;

            $(#[test] fn $name() { super::with(Engine::Process, super::$name); })*
        }
        mod in_a_container {
            use crate::world::containers;

            $(#[test] fn $name() { if let Some(engine) = containers() { super::with(engine, super::$name); } })*
        }
    };
}

behaviours! {
    crashes_and_is_started_again
    ends_by_itself
    ignores_stop
    leaves_orphans
    floods_the_console
    prints_an_endless_line
    prints_what_is_no_text
    takes_too_much_memory
    fills_the_disk
    breeds_processes
}

fn with(engine: Engine, behaviour: fn(&World)) {
    let world = World::new(engine);
    behaviour(&world);
    let alive = world.client().get("/api/client").unwrap();
    assert_eq!(alive.status, 200, "{}", alive.text());
}

fn crashes_and_is_started_again(world: &World) {
    let game = world.coop(&[]);
    let mut console = game.console();
    game.start(&mut console);
    assert_eq!(game.command("crash"), 204);
    console.status("offline");
    console.line("Detected server process in a crashed state!");
    console.line("Exit code: 3");
    console.line("Out of memory: false");
    console.status("starting");
    console.status("running");
    // A second crash so soon after the first is left alone.
    assert_eq!(game.command("crash"), 204);
    console.line("Aborting automatic restart, last crash occurred less than");
    wait_for("rest", || {
        (game.resources()["current_state"] == "offline").then_some(())
    });
}

fn ends_by_itself(world: &World) {
    let game = world.coop(&[]);
    let mut console = game.console();
    game.start(&mut console);
    // An end that nobody asked for is a crash, however clean (node-protocol.md §5.6).
    assert_eq!(game.command("leave"), 204);
    console.status("offline");
    console.line("Exit code: 0");
    console.status("running");
    game.power("stop");
    console.status("stopping");
    console.status("offline");
    console.never("console output", "crashed state");
}

fn ignores_stop(world: &World) {
    let game = world.coop(&[]);
    let mut console = game.console();
    game.start(&mut console);
    assert_eq!(game.command("deaf"), 204);
    console.line("deaf now");
    game.power("stop");
    console.status("stopping");
    console.line("never heard of it");
    // A kill does not wait for the stop that hangs.
    game.kill(&mut console);
    console.never("console output", "crashed state");
    game.start(&mut console);
    game.kill(&mut console);
}

fn leaves_orphans(world: &World) {
    let game = world.coop(&[]);
    let mut console = game.console();
    // A number that no other process of this machine has in its command line.
    let seconds = format!("9{}{}", std::process::id(), game.port);
    for signal in ["stop", "kill"] {
        game.start(&mut console);
        assert_eq!(game.command(&format!("orphans {seconds}")), 204);
        console.line("orphans left");
        let orphans = || processes_with(&format!("sleep {seconds}")).len();
        wait_for("the orphans", || (orphans() == 3).then_some(()));
        game.power(signal);
        console.status("offline");
        wait_for("the orphans' end", || (orphans() == 0).then_some(()));
    }
}

fn floods_the_console(world: &World) {
    let calm = world.coop(&[]);
    let mut calm_console = calm.console();
    calm.start(&mut calm_console);
    let game = world.server("Coop", &[]);
    game.write("/coop.sh", include_bytes!("../../games/coop/coop.sh"));
    let mut console = game.console();
    game.start(&mut console);

    let before = memory_of(world);
    assert_eq!(game.command("flood 1000000"), 204);
    console.line("outputting console data too quickly");
    // A neighbour is not held up, and the flood's own console comes back.
    assert_eq!(calm.command("say still here"), 204);
    calm_console.line("coop says: still here");
    wait_for("the end of the flood", || {
        assert_eq!(game.command("say after the flood"), 204);
        // The throttle may swallow a line or two of those that come while it resets.
        console.try_line("coop says: after the flood")
    });
    let grown = memory_of(world).saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "the panel grew by {grown} bytes");
    game.kill(&mut console);
    calm.kill(&mut calm_console);
}

fn prints_an_endless_line(world: &World) {
    let game = world.coop(&[]);
    let mut console = game.console();
    game.start(&mut console);
    let before = memory_of(world);
    assert_eq!(game.command("stretch 50000000"), 204);
    console.line("the line is over");
    let grown = memory_of(world).saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "the panel grew by {grown} bytes");
    game.kill(&mut console);
}

fn prints_what_is_no_text(world: &World) {
    let game = world.coop(&[]);
    let mut console = game.console();
    game.start(&mut console);
    assert_eq!(game.command("shout"), 204);
    // Bytes that are no text come as replacement characters: frames are always valid.
    let line = console.line("not text: ");
    assert!(line.contains('\u{fffd}'), "{line:?}");
    assert_eq!(game.command("say fine"), 204);
    console.line("coop says: fine");
    game.kill(&mut console);
}

fn takes_too_much_memory(world: &World) {
    let game = world.coop(&["--memory", "64"]);
    let mut console = game.console();
    game.start(&mut console);
    assert_eq!(game.command("hoard"), 204);
    console.line("Detected server process in a crashed state!");
    console.line("Out of memory: true");
    console.status("running");
    game.kill(&mut console);
}

fn fills_the_disk(world: &World) {
    let game = world.coop(&["--disk", "16"]);
    let mut console = game.console();
    game.start(&mut console);
    assert_eq!(game.command("fill 48"), 204);
    console.line("exceeding the assigned disk space limit");
    console.status("offline");
    // It does not start again until there is room.
    let refused = world.client().post(
        &game.path("/power"),
        &serde_json::json!({"signal": "start"}),
    );
    drop(refused.unwrap());
    console.line("disk space");
    assert_eq!(game.resources()["current_state"], "offline");
    let body = serde_json::json!({"root": "/", "files": ["heap"]});
    world
        .client()
        .post(&game.path("/files/delete"), &body)
        .unwrap()
        .expect(204)
        .unwrap();
    game.start(&mut console);
    game.kill(&mut console);
}

fn breeds_processes(world: &World) {
    let game = world.coop(&[]);
    let mut console = game.console();
    game.start(&mut console);
    assert_eq!(game.command("breed 1500"), 204);
    let children = || processes_with("sleep 600").len();
    wait_for("many children", || (children() > 100).then_some(()));
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(
        children() < 1_000,
        "{} processes: the limit does not hold",
        children()
    );
    game.kill(&mut console);
    wait_for("their end", || (children() == 0).then_some(()));
}

/// The resident memory of the panel, in bytes.
fn memory_of(world: &World) -> u64 {
    let status = format!("/proc/{}/status", world.panel.process().unwrap());
    let text = std::fs::read_to_string(status).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
