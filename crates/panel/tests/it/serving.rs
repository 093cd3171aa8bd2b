//! The listener and the routes of the program itself.

use std::net::TcpListener;

use rustix::process::Signal;

use crate::harness::{Panel, Place};

#[test]
fn probes_metrics_and_documents() {
    let place = Place::new();
    let key = place.key();
    let panel = place.serve();
    assert_eq!(panel.get("/health").json()["status"], "alive");
    let ready = panel.get("/ready").json();
    assert_eq!(
        (&ready["database"], &ready["node"]),
        (&true.into(), &true.into())
    );
    assert_eq!(panel.call(&key, "GET", "/api/client", "").status, 200);
    let metrics = panel.get("/metrics").body;
    assert!(
        metrics.contains("hatchery_http_requests_total{class=\"2xx\"}"),
        "{metrics}"
    );
    assert!(
        metrics.contains("process_resident_memory_bytes"),
        "{metrics}"
    );
    let forwarded = panel.ask("GET", "/metrics", &[("x-forwarded-for", "192.0.2.1")], "");
    assert_eq!(forwarded.status, 403);
    let document = panel.get("/openapi/client.json").json();
    assert!(document["paths"].as_object().unwrap().len() > 5);
    let docs = panel.get("/docs");
    assert!(
        docs.body.contains("/api/client/account")
            && docs.has("content-security-policy:", "default-src 'none'")
    );
    assert!(
        panel
            .get("/assets/plain.css")
            .has("content-type:", "text/css")
    );
    assert_eq!(panel.get("/").status, 303);
    let missing = panel.call(&key, "GET", "/api/client/nope", "");
    assert_eq!(missing.json()["errors"][0]["code"], "NotFoundHttpException");
}

#[test]
fn metrics_can_be_turned_off() {
    let place = Place::new();
    let mut command = place.command(&["serve"]);
    command.env("HATCHERY_METRICS_ACCESS", "off");
    assert_eq!(Panel::start(command).get("/metrics").status, 403);
}

#[test]
fn a_taken_port_is_no_reason_not_to_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let place = Place::new();
    let panel = Panel::start(place.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]));
    assert_ne!(panel.url, format!("http://127.0.0.1:{port}"));
    assert_eq!(panel.get("/health").status, 200);
}

#[test]
fn a_second_panel_stays_out_of_the_folder() {
    let place = Place::new();
    let _first = place.serve();
    let said = place.complaint(&["serve"]);
    assert!(
        said.contains("another panel (process ") && said.contains("--data-dir"),
        "{said}"
    );
}

#[test]
fn being_told_to_end_ends_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = Place::new();
        let panel = place.serve();
        panel.signal(signal);
        assert_eq!(panel.wait(), Some(0));
    }
}

/// Security.md, log redaction: not even the most talkative log tells what opens something.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the log of the binary, not a server's file"
)]
fn no_secret_reaches_the_log() {
    let place = Place::new();
    let path = place.path().join("log");
    let mut command = place.command(&["serve"]);
    command.env("HATCHERY_LOG_LEVEL", "trace");
    let panel = Panel::logging(command, std::fs::File::create(&path).unwrap());
    let setup = panel.setup_token().to_owned();
    let person = [
        ("username", "anna"),
        ("email", "anna@example.com"),
        ("password", "correct horse"),
        ("token", setup.as_str()),
        ("api_key", "1"),
    ];
    panel.get(&format!("/setup?token={setup}"));
    let done = panel.post_form("/setup", &person).body;
    let key = done.split_once("<code class=\"key\">").unwrap().1[..48].to_owned();

    let cookies = panel.get("/sanctum/csrf-cookie");
    let cookie = |name: &str| {
        let (_, rest) = cookies.head.split_once(&format!("{name}=")).unwrap();
        rest.split(';').next().unwrap().to_owned()
    };
    // The harness shows heads in lower case, so this session is none of ours: that is refused, too.
    let session = format!("hatchery_session={}", cookie("hatchery_session"));
    let headers = [
        ("cookie", session.as_str()),
        ("x-xsrf-token", "nonsense"),
        ("content-type", "application/json"),
    ];
    let wrong = "{\"user\": \"anna\", \"password\": \"a wrong guess\"}";
    panel.ask("POST", "/auth/login", &headers, wrong);
    panel.post_form(
        "/account/api",
        &[
            ("user", "anna"),
            ("password", "another guess"),
            ("description", "x"),
        ],
    );
    panel.call(&format!("{}wrong", &key[..43]), "GET", "/api/client", "");

    let server = place.json(&[
        "server", "create", "--name", "Mine", "--owner", "anna", "--egg", "demo",
    ]);
    let path_of = format!(
        "/api/client/servers/{}",
        server["identifier"].as_str().unwrap()
    );
    panel.until(|panel| {
        panel.call(&key, "GET", &path_of, "").json()["attributes"]["is_installing"] == false
    });
    let link = panel
        .call(&key, "GET", &format!("{path_of}/files/upload"), "")
        .json();
    let link = link["attributes"]["url"].as_str().unwrap().to_owned();
    let token = link.split_once("token=").unwrap().1.to_owned();
    let address = link.strip_prefix(&panel.url).unwrap();
    panel.ask("POST", address, &[], "");
    let socket = panel
        .call(&key, "GET", &format!("{path_of}/websocket"), "")
        .json();
    let socket = socket["data"]["token"].as_str().unwrap().to_owned();

    let log = std::fs::read_to_string(&path).unwrap().to_lowercase();
    assert!(log.contains("refused"), "it is talkative: {log}");
    for secret in [
        &setup,
        &key[16..],
        &key[16..43],
        "correct horse",
        "a wrong guess",
        "another guess",
        &cookie("hatchery_session"),
        token.rsplit('.').next().unwrap(),
        socket.rsplit('.').next().unwrap(),
    ] {
        let secret = secret.to_lowercase();
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "it holds {secret}");
    }
}
