//! What must outlive the process.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::process::Signal;

use crate::harness::{Answer, Place};

#[test]
fn a_restart_keeps_everything_and_prints_no_set_up_link() {
    let place = Place::new();
    let key = place.key();
    for _ in 0..2 {
        let panel = place.serve();
        assert!(!panel.greeting.contains("setup"), "{}", panel.greeting);
        assert_eq!(
            panel.call(&key, "GET", "/api/client/account", "").json()["attributes"]["username"],
            "admin"
        );
        panel.signal(Signal::TERM);
        assert_eq!(panel.wait(), Some(0));
    }
}

#[test]
fn kill_9_under_load_loses_no_acknowledged_write() {
    const WRITERS: usize = 4;
    /// As many keys as an account may have, less the one that the writer itself uses.
    const MOST: usize = 24;
    /// When the process is killed: in the middle of it.
    const ENOUGH: usize = WRITERS * MOST / 2;
    let place = Place::new();
    let keys: Vec<String> = (0..WRITERS)
        .map(|number| {
            let (name, email) = (format!("user{number}"), format!("user{number}@example.com"));
            place.answer(&[
                "user",
                "create",
                "--username",
                &name,
                "--email",
                &email,
                "--password",
                "correct horse",
            ]);
            place.answer(&["api-key", "create", "--user", &name])
        })
        .collect();
    let panel = place.serve();
    let acknowledged = AtomicUsize::new(0);
    let (panel, counter) = (&panel, &acknowledged);
    let written: Vec<Vec<String>> = thread::scope(|scope| {
        let writers: Vec<_> = keys
            .iter()
            .map(|key| {
                scope.spawn(move || {
                    let mut identifiers = Vec::new();
                    for _ in 0..MOST {
                        let bearer = format!("Bearer {key}");
                        let headers = [
                            ("authorization", bearer.as_str()),
                            ("content-type", "application/json"),
                        ];
                        let path = "/api/client/account/api-keys";
                        let answer = Answer::of(
                            &panel.url,
                            "POST",
                            path,
                            &headers,
                            r#"{"description":"x"}"#,
                        );
                        let Some(answer) = answer else { break };
                        assert_eq!(answer.status, 200, "{}", answer.body);
                        identifiers.push(
                            answer.json()["attributes"]["identifier"]
                                .as_str()
                                .unwrap()
                                .to_owned(),
                        );
                        counter.fetch_add(1, Ordering::AcqRel);
                    }
                    identifiers
                })
            })
            .collect();
        panel.until(|_| counter.load(Ordering::Acquire) >= ENOUGH);
        panel.signal(Signal::KILL);
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect()
    });
    assert!(written.iter().flatten().count() >= ENOUGH);

    let panel = place.serve();
    for (key, identifiers) in keys.iter().zip(written) {
        let kept = panel
            .call(key, "GET", "/api/client/account/api-keys", "")
            .body;
        for identifier in identifiers {
            assert!(
                kept.contains(&identifier),
                "{identifier} was acknowledged and is gone"
            );
        }
    }
}

#[test]
fn a_game_survives_kill_9_of_its_panel_and_is_found_again() {
    let place = Place::new();
    if place.run(&["doctor"]).status.code() != Some(0) {
        // Without namespaces or mounts no game can be confined, and so none is run.
        println!("SKIPPED: this machine cannot run games as processes, see `hatchery doctor`");
        return;
    }
    let key = place.key();
    let panel = place.serve();
    let port = free_port().to_string();
    let server = place.json(&[
        "server", "create", "--name", "Hens", "--owner", "admin", "--egg", "demo", "--port", &port,
        "--start",
    ]);
    let server = format!(
        "/api/client/servers/{}",
        server["identifier"].as_str().unwrap()
    );
    panel.until(|_| game_answers(&port));
    panel.signal(Signal::KILL);
    assert_eq!(panel.wait(), None);
    assert!(game_answers(&port), "the game ended with its panel");

    let panel = place.serve();
    let send = |path: &str, body: &str| {
        panel
            .call(&key, "POST", &format!("{server}/{path}"), body)
            .status
    };
    panel.until(|_| send("command", r#"{"command":"say still here"}"#) == 204);
    let log = format!("{server}/files/contents?file=logs/latest.log");
    panel.until(|panel| {
        panel
            .call(&key, "GET", &log, "")
            .body
            .contains("<Farmer> still here")
    });
    assert_eq!(send("power", r#"{"signal":"stop"}"#), 204);
    panel.until(|_| !game_answers(&port));
}

/// A port that was free a moment ago, for TCP and UDP.
fn free_port() -> u16 {
    TcpListener::bind("0.0.0.0:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Whether the game answers a ping on its port.
fn game_answers(port: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut player = TcpStream::connect(format!("127.0.0.1:{port}"))?;
        player.write_all(b"ping\nquit\n")?;
        let mut heard = String::new();
        player.read_to_string(&mut heard)?;
        Ok(heard.contains("pong"))
    };
    ask().unwrap_or(false)
}
