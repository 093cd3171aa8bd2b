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
