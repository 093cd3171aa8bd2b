//! Transcripts of WebSockets.

use std::time::Duration;

use hatchery_node_proto::jwt::{FileUpload, Websocket, pair_id};
use hatchery_runtime::fake::FakeInstance;
use hatchery_vocab::PowerSignal::Start;
use hatchery_vocab::PowerState::Running;
use hatchery_vocab::UserId;
use serde_json::{Value, json};

use crate::socket::{Socket, listen};
use crate::world::{World, user_uuid, uuid};

const CONNECT: &str = "websocket.connect";

async fn running(world: &World) -> FakeInstance {
    world.client.power(world.server, Start).await.unwrap();
    let game = world.runtime.next_start().await;
    game.print("ready").await;
    world.state(Running).await;
    game
}

/// The text behind `Error Event [<uuid>]: `.
fn cause(text: &str) -> &str {
    let (id, cause) = text
        .strip_prefix("Error Event [")
        .unwrap()
        .split_once("]: ")
        .unwrap();
    assert_eq!(id.len(), 36);
    cause
}

#[tokio::test]
async fn a_session_from_start_to_stop() {
    let world = World::new().await;
    let address = listen(&world).await;
    let mut socket = Socket::open(address, &world, None).await.unwrap();
    socket.send("auth", &[&world.ticket('a', &["*"])]).await;
    assert_eq!(socket.next().await, json!({"event": "auth success"}));
    assert_eq!(
        socket.next().await,
        json!({"event": "status", "args": ["offline"]})
    );
    let stats = socket.next().await;
    assert_eq!(stats["event"], "stats");
    let inner: Value = serde_json::from_str(stats["args"][0].as_str().unwrap()).unwrap();
    assert_eq!(
        (&inner["state"], &inner["uptime"]),
        (&json!("offline"), &json!(0))
    );

    socket.send("set state", &["start"]).await;
    let game = world.runtime.next_start().await;
    assert_eq!(socket.until("status").await, "starting");
    game.print("\u{1b}[32mready\u{1b}[0m").await;
    assert_eq!(socket.until("status").await, "running");
    assert_eq!(
        socket.until("console output").await,
        "\u{1b}[32mready\u{1b}[0m"
    );
    assert!(
        socket
            .until("stats")
            .await
            .contains("\"state\":\"running\"")
    );

    socket.send("send command", &["say hi"]).await;
    assert_eq!(game.next_input().await.unwrap(), "say hi\n");
    game.print("hi").await;
    assert_eq!(socket.until("console output").await, "hi");
    // However the arguments look (client-quirks.md 20).
    socket
        .send_text(r#"{"event":"send logs","args":[null]}"#)
        .await;
    assert_eq!(
        socket.until("console output").await,
        "\u{1b}[32mready\u{1b}[0m"
    );
    assert_eq!(socket.until("console output").await, "hi");
    for ignored in [
        r#"{"event":"status"}"#,
        r#"{"event":"nonsense","args":["x"]}"#,
        "no json",
        "[]",
    ] {
        socket.send_text(ignored).await;
    }
    socket.send("set state", &["stop"]).await;
    assert_eq!(game.next_input().await.unwrap(), "stop\n");
    assert_eq!(socket.until("status").await, "stopping");
    game.exit_with(0);
    assert_eq!(socket.until("status").await, "offline");
    assert!(
        socket
            .until("stats")
            .await
            .contains("\"state\":\"offline\"")
    );

    world.node.shut_down().await;
    let entries: Vec<_> = world
        .panel
        .bodies("activity")
        .iter()
        .flat_map(|body| body["data"].as_array().unwrap().clone())
        .collect();
    let events: Vec<_> = entries
        .iter()
        .map(|entry| entry["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "server:power.start",
            "server:console.command",
            "server:power.stop"
        ]
    );
    assert_eq!(entries[1]["metadata"], json!({"command": "say hi"}));
    assert_eq!(
        (&entries[1]["user"], &entries[1]["ip"]),
        (&json!(user_uuid('a')), &json!("127.0.0.1"))
    );
    assert_eq!(socket.closed().await.0, 1001);
}

#[tokio::test]
async fn tokens_are_refused_with_the_protocol_s_words() {
    let world = World::new().await;
    let address = listen(&world).await;
    let other = Websocket {
        server_uuid: uuid('b'),
        permissions: vec!["*".to_owned()],
    };
    let expired = world.ticket('b', &["*"]);
    world.clock.advance(Duration::from_secs(601));
    let revoked = world.ticket('a', &["*"]);
    world
        .client
        .ws_deny(world.server, vec![pair_id(UserId::new(97), world.server)])
        .await
        .unwrap();
    for (token, event, text) in [
        (
            revoked,
            "jwt error",
            "jwt: created too far in past (denylist)",
        ),
        (
            world.ticket('b', &["control.start"]),
            "jwt error",
            "jwt: missing connect permission",
        ),
        (
            world.sign(
                'b',
                FileUpload {
                    server_uuid: world.server,
                },
            ),
            "jwt error",
            "jwt: missing connect permission",
        ),
        (
            world.sign('b', other),
            "jwt error",
            "jwt: server uuid mismatch",
        ),
        (expired, "jwt error", "jwt: exp claim is invalid"),
        (
            "nonsense".to_owned(),
            "daemon error",
            "an unexpected error was encountered while handling this request",
        ),
    ] {
        let mut socket = Socket::open(address, &world, None).await.unwrap();
        socket.send("auth", &[&token]).await;
        assert_eq!(cause(&socket.until(event).await), text);
        socket.send("send stats", &[]).await;
        assert_eq!(
            socket.next().await,
            json!({"event": "jwt error", "args": ["jwt: no jwt present"]})
        );
    }
}

#[tokio::test]
async fn permissions_are_asked_for_each_event() {
    let world = World::new().await;
    let address = listen(&world).await;
    let game = running(&world).await;
    let mut reader = Socket::enter(address, &world, 'a', &[CONNECT]).await;
    let mut typist = Socket::enter(address, &world, 'b', &[CONNECT, "control.console"]).await;
    reader.send("send command", &["forbidden"]).await;
    for action in ["start", "restart", "stop", "kill", "kill"] {
        reader.send("set state", &[action]).await;
    }
    assert_eq!(reader.until("throttled").await, "set state", "the fifth");
    typist.send("send command", &["allowed"]).await;
    assert_eq!(game.next_input().await.unwrap(), "allowed\n");
    assert!(game.is_running());
}

#[tokio::test]
async fn owners_do_not_see_installations_and_administrators_do() {
    let world = World::new().await;
    let address = listen(&world).await;
    let mut owner = Socket::enter(address, &world, 'a', &["*"]).await;
    let all = [
        "*",
        "admin.websocket.errors",
        "admin.websocket.install",
        "admin.websocket.transfer",
    ];
    let mut admin = Socket::enter(address, &world, 'b', &all).await;
    world.client.install(world.server).await.unwrap();
    let install = world.runtime.next_start().await;
    install.print("line of the script").await;
    assert_eq!(admin.until("install output").await, "line of the script");
    install.exit_with(0);
    let mut seen = Vec::new();
    while seen.last() != Some(&"install completed".to_owned()) {
        seen.push(owner.next().await["event"].as_str().unwrap().to_owned());
    }
    assert!(
        seen.contains(&"install started".to_owned()) && seen.contains(&"daemon message".to_owned())
    );
    assert!(!seen.contains(&"install output".to_owned()));
}

#[tokio::test]
async fn errors_have_their_cause_for_administrators_only() {
    let world = World::new().await;
    let address = listen(&world).await;
    let _game = running(&world).await;
    let mut owner = Socket::enter(address, &world, 'a', &["*"]).await;
    owner.send("set state", &["start"]).await;
    let generic = "an unexpected error was encountered while handling this request";
    assert_eq!(cause(&owner.until("daemon error").await), generic);
    let mut admin = Socket::enter(address, &world, 'b', &["*", "admin.websocket.errors"]).await;
    admin.send("set state", &["start"]).await;
    assert_eq!(
        cause(&admin.until("daemon error").await),
        "server is running"
    );
    owner.send("set state", &["stop"]).await;
    assert_eq!(owner.until("status").await, "stopping");
    owner.send("set state", &["restart"]).await;
    assert_eq!(
        cause(&owner.until("daemon error").await),
        "another power action is currently being processed for this server, please try again later"
    );
}

#[tokio::test]
async fn a_refresh_repeats_nothing() {
    let world = World::new().await;
    let address = listen(&world).await;
    let _game = running(&world).await;
    let mut socket = Socket::enter(address, &world, 'a', &["*"]).await;
    socket.send("auth", &[&world.ticket('a', &["*"])]).await;
    let events = socket.events_so_far().await;
    assert_eq!(events, [json!({"event": "auth success"})]);
}

#[tokio::test]
async fn revocation_bites_at_once() {
    let world = World::new().await;
    let address = listen(&world).await;
    let game = running(&world).await;
    let mut denied = Socket::enter(address, &world, 'a', &["*"]).await;
    let mut removed = Socket::enter(address, &world, 'b', &["*"]).await;
    let mut other = Socket::enter(address, &world, 'c', &["*"]).await;
    world
        .client
        .ws_deny(world.server, vec![pair_id(UserId::new(97), world.server)])
        .await
        .unwrap();
    assert_eq!(
        denied.until("jwt error").await,
        "jwt: created too far in past (denylist)"
    );
    world
        .client
        .deauthorize_user(user_uuid('b'), vec![])
        .await
        .unwrap();
    assert_eq!(
        removed.closed().await,
        (1008, "authorization was withdrawn".to_owned())
    );
    game.print("secret").await;
    assert_eq!(other.until("console output").await, "secret");
    denied.send("send logs", &[]).await;
    assert_eq!(
        denied.next().await,
        json!({"event": "jwt error", "args": ["jwt: created too far in past (denylist)"]})
    );
    world.clock.advance(Duration::from_secs(1));
    denied.send("auth", &[&world.ticket('a', &["*"])]).await;
    assert_eq!(denied.next().await, json!({"event": "auth success"}));
    game.print("shown again").await;
    assert_eq!(denied.until("console output").await, "shown again");
}

#[tokio::test]
async fn a_token_ends_with_a_warning() {
    let world = World::new().await;
    let address = listen(&world).await;
    let mut socket = Socket::enter(address, &world, 'a', &["*"]).await;
    assert!(!socket.until("stats").await.is_empty());
    let tick = || async {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(30)).await;
        tokio::time::resume();
    };
    world.clock.advance(Duration::from_secs(541));
    tick().await;
    assert_eq!(socket.next().await, json!({"event": "token expiring"}));
    world.clock.advance(Duration::from_mins(1));
    tick().await;
    assert_eq!(socket.next().await, json!({"event": "token expired"}));
    socket.send("send stats", &[]).await;
    assert_eq!(
        socket.next().await,
        json!({"event": "jwt error", "args": ["jwt: exp claim is invalid"]})
    );
    socket.send("auth", &[&world.ticket('a', &["*"])]).await;
    assert_eq!(socket.next().await, json!({"event": "auth success"}));
    assert_eq!(socket.events_so_far().await, [] as [Value; 0]);
}

#[tokio::test]
async fn foreign_pages_are_refused() {
    let world = World::with(
        |_| {},
        |config| config.allowed_origins = vec!["https://panel.example".to_owned()],
    )
    .await;
    let address = listen(&world).await;
    let own = format!("http://{address}");
    for (origin, expected) in [
        (None, None),
        (Some(own.as_str()), None),
        (Some("https://panel.example"), None),
        (Some("https://evil.example"), Some(403)),
        (Some("null"), Some(403)),
    ] {
        let refused = Socket::open(address, &world, origin).await.err();
        assert_eq!(refused, expected, "{origin:?}");
    }
}

#[tokio::test]
async fn the_number_of_sockets_is_bounded_per_user_and_address() {
    let limits = |config: &mut hatchery_node::NodeConfig| {
        config.sockets.per_user = 2;
        config.sockets.per_address = 4;
    };
    let world = World::with(|_| {}, limits).await;
    let address = listen(&world).await;
    let mut first = Socket::enter(address, &world, 'a', &["*"]).await;
    let _second = Socket::enter(address, &world, 'a', &["*"]).await;
    let mut third = Socket::open(address, &world, None).await.unwrap();
    third.send("auth", &[&world.ticket('a', &["*"])]).await;
    assert_eq!(
        third.closed().await,
        (1008, "too many open websocket connections".to_owned())
    );
    third.gone().await;
    let _other = Socket::enter(address, &world, 'b', &["*"]).await;
    // The third one's place is free again once the node has seen it go.
    let mut held = Vec::new();
    while let Ok(socket) = Socket::open(address, &world, None).await {
        held.push(socket);
        assert!(held.len() <= 2, "more than four of one address");
    }
    assert_eq!(Socket::open(address, &world, None).await.err(), Some(400));
    assert!(
        first.events_so_far().await.is_empty(),
        "the others are not disturbed"
    );
}

#[tokio::test]
async fn who_shows_no_token_is_dropped() {
    let limits = |config: &mut hatchery_node::NodeConfig| {
        config.sockets.auth_deadline = Duration::from_millis(20);
    };
    let world = World::with(|_| {}, limits).await;
    let address = listen(&world).await;
    let mut silent = Socket::open(address, &world, None).await.unwrap();
    assert_eq!(
        silent.closed().await,
        (1008, "no authentication".to_owned())
    );
}

#[tokio::test]
async fn long_messages_end_the_connection_and_many_are_throttled() {
    let world = World::new().await;
    let address = listen(&world).await;
    let mut socket = Socket::enter(address, &world, 'a', &["*"]).await;
    socket.until("stats").await;
    for _ in 0..100 {
        socket.send("send stats", &[]).await;
    }
    let mut names = Vec::new();
    while names.len() < 2 {
        names.push(socket.until("throttled").await);
    }
    assert_eq!(names, ["send stats", "global"]);
    let mut long = Socket::enter(address, &world, 'b', &["*"]).await;
    long.send("send command", &[&"x".repeat(5000)]).await;
    long.gone().await;
}

#[tokio::test]
async fn suspension_and_deletion_close_with_their_codes() {
    let world = World::new().await;
    let address = listen(&world).await;
    let mut watching = Socket::enter(address, &world, 'a', &["*"]).await;
    world.panel.change(world.server, |document| {
        document["settings"]["suspended"] = json!(true);
    });
    world.client.sync(world.server).await.unwrap();
    assert_eq!(
        watching.closed().await,
        (4409, "server is suspended".to_owned())
    );
    let mut late = Socket::open(address, &world, None).await.unwrap();
    assert_eq!(late.closed().await.0, 4409);

    world.panel.change(world.server, |document| {
        document["settings"]["suspended"] = json!(false);
    });
    world.client.sync(world.server).await.unwrap();
    let mut watching = Socket::enter(address, &world, 'a', &["*"]).await;
    world.client.delete(world.server).await.unwrap();
    assert_eq!(watching.until("deleted").await, "null");
    assert_eq!(watching.closed().await, (1001, "server deleted".to_owned()));
    assert_eq!(Socket::open(address, &world, None).await.err(), Some(404));
}
