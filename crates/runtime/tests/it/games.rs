//! Real programs: a game from Debian, and the run-times that most games need.

use std::net::UdpSocket;
use std::time::Duration;

use hatchery_runtime::{Runtime, Signal};
use hatchery_vocab::MiB;

use crate::support::{World, code, machine_has};

#[tokio::test]
async fn openarena_runs_answers_and_quits() {
    if !machine_has("openarena-server") {
        return;
    }
    let world = World::new();
    let port = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut spec = world.spec(
        "openarena-server +set net_ip 127.0.0.1 +set net_port {{SERVER_PORT}} +set dedicated 1 +set com_hunkmegs 64 +map oa_dm1",
    );
    spec.environment
        .push(("SERVER_PORT".into(), port.to_string()));
    spec.limits.memory = MiB::new(512);
    let mut hand = world.start_spec(&spec).await;
    hand.until("AAS initialized.").await;
    hand.send("status").await;
    hand.until("map: oa_dm1").await;
    hand.send("say hello from the console").await;
    hand.until("hello from the console").await;

    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    client
        .send_to(b"\xff\xff\xff\xffgetinfo x", ("127.0.0.1", port))
        .unwrap();
    let mut answer = [0; 2048];
    let length = client.recv(&mut answer).unwrap();
    assert!(answer[..length].starts_with(b"\xff\xff\xff\xffinfoResponse"));

    assert!(
        world
            .runtime
            .usage(world.server)
            .await
            .unwrap()
            .memory_bytes
            > 10_000_000
    );
    hand.send("quit").await;
    assert_eq!(hand.end().await.0, code(0));
}

#[tokio::test]
async fn node_runs_and_sees_a_terminal() {
    if !machine_has("node") {
        return;
    }
    let world = World::new();
    let script = "const r = require('readline').createInterface({ input: process.stdin, output: process.stdout });
        console.log('tty ' + process.stdout.isTTY + ' ' + require('os').userInfo().username);
        r.on('line', line => { console.log('got ' + line); if (line === 'stop') process.exit(0) });
        process.on('SIGINT', () => process.exit(3));";
    std::fs::write(world.root().join("game.js"), script).unwrap();
    let mut spec = world.spec("node game.js");
    spec.limits.memory = MiB::new(512);
    let mut hand = world.start_spec(&spec).await;
    hand.until("tty true container").await;
    hand.send("hello").await;
    hand.until("got hello").await;
    hand.send("stop").await;
    assert_eq!(hand.end().await.0, code(0));
}

#[tokio::test]
async fn java_runs() {
    if !machine_has("java") {
        return;
    }
    let world = World::new();
    let mut spec = world.spec("java -Xmx{{SERVER_MEMORY}}M -XX:+PrintFlagsFinal -version | grep MaxHeapSize; java -version; echo \"java $?\"; sleep 1000");
    spec.limits.memory = MiB::new(1024);
    let mut hand = world.start_spec(&spec).await;
    hand.until("134217728").await;
    hand.until("\r\njava 0\r\n").await;
    world
        .runtime
        .signal(world.server, Signal::Kill)
        .await
        .unwrap();
    assert_eq!(hand.end().await.0, code(137));
}
