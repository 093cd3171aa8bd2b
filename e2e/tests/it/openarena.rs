//! OpenArena from Debian's package: a UDP game that is driven by its standard input.

use std::net::UdpSocket;
use std::time::Duration;

use hatchery_e2e::Engine;

use crate::world::{World, containers, own_addresses, wait_for};

#[test]
fn openarena_as_a_process() {
    play(Engine::Process);
}

#[test]
fn openarena_in_a_container() {
    if let Some(engine) = containers() {
        play(engine);
    }
}

fn play(engine: Engine) {
    let world = World::new(engine);
    let game = world.server("openarena", &["--memory", "512"]);
    assert_eq!(
        game.command("status"),
        502,
        "a command to a server that is offline"
    );

    let mut console = game.console();
    game.power("start");
    console.status("starting");
    console.line("AAS initialized.");
    console.status("running");
    wait_for("an answer to getinfo", || getinfo(game.port));

    assert_eq!(game.command("status"), 204);
    console.line("oa_dm1");
    assert_eq!(game.command("say hello hens"), 204);
    console.line("hello hens");
    let used = wait_for("its memory", || {
        let used = game.resources();
        (used["resources"]["memory_bytes"].as_u64() > Some(0)).then_some(used)
    });
    assert_eq!(used["current_state"], "running");

    game.power("restart");
    console.status("stopping");
    console.status("offline");
    console.status("starting");
    console.status("running");

    // Typed by hand, the stop command is a stop and no crash.
    assert_eq!(game.command("quit"), 204);
    console.status("stopping");
    console.status("offline");
    console.never("console output", "crashed state");

    game.start(&mut console);
    game.kill(&mut console);
    assert_eq!(getinfo(game.port), None);

    let activity = game.activity();
    for event in [
        "server:power.start",
        "server:power.restart",
        "server:console.command",
    ] {
        assert!(
            activity.iter().any(|known| known == event),
            "{event} is not in {activity:?}"
        );
    }
}

/// What the game answers to a server browser, if it does.
fn getinfo(port: u16) -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    own_addresses().into_iter().find_map(|address| {
        socket
            .send_to(b"\xff\xff\xff\xffgetinfo hens\n", (address.as_str(), port))
            .ok()?;
        let mut answer = [0; 2048];
        let (length, _) = socket.recv_from(&mut answer).ok()?;
        let text = String::from_utf8_lossy(&answer[..length]).into_owned();
        (text.contains("infoResponse") && text.contains("oa_dm1")).then_some(text)
    })
}
