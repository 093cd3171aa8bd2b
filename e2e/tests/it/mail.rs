//! A forgotten password, by way of a real mail server with TLS, name and password.

use std::ffi::OsStr;
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;

use hatchery_e2e::{Engine, Panel, Service, free_port};
use rustix::process::Signal;

use crate::world::{PATIENCE, World, python};

const FORM: [(&str, &str); 1] = [("Content-Type", "application/x-www-form-urlencoded")];

#[test]
fn a_forgotten_password_is_replaced_by_mail() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mail");
    let environment = python("mail", include_str!("../../mail/requirements.txt"));

    let (port, kept) = (free_port().unwrap(), tempfile::tempdir().unwrap());
    let arguments = [
        folder.join("server.py").into_os_string(),
        port.to_string().into(),
        kept.path().as_os_str().to_owned(),
    ];
    let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    let python = environment.join("bin/python");
    let mut server = Service::start(
        "mail server",
        &python,
        &arguments,
        None,
        Signal::TERM,
        |to| {
            to.stdout(Stdio::null());
        },
    )
    .unwrap();
    server
        .wait_until(PATIENCE, || {
            Ok(TcpStream::connect(("127.0.0.1", port)).is_ok())
        })
        .unwrap();

    let authority = kept.path().join("authority.pem");
    let world = World::with(
        Engine::Process,
        &[
            ("HATCHERY_MAIL_HOST", "127.0.0.1"),
            ("HATCHERY_MAIL_PORT", &port.to_string()),
            ("HATCHERY_MAIL_AUTHORITY", authority.to_str().unwrap()),
            ("HATCHERY_MAIL_USERNAME", "panel"),
            ("HATCHERY_MAIL_PASSWORD", "smtp-secret"),
            ("HATCHERY_MAIL_FROM_ADDRESS", "panel@example.com"),
        ],
    );
    let client = world.panel.client(None);
    let post = |path: &str, body: &str| client.call("POST", path, &FORM, body.as_bytes()).unwrap();
    post("/account/password", "email=ada%40example.com")
        .expect(200)
        .unwrap();

    let first = kept.path().join("1.eml");
    server.wait_until(PATIENCE, || Ok(first.exists())).unwrap();
    let mail = std::fs::read_to_string(&first).unwrap();
    for header in ["From: Hatchery <panel@example.com>", "Reset your password"] {
        assert!(mail.contains(header), "{mail}");
    }
    let path = link(&mail, &world.panel.url());
    let page = client.get(&path).unwrap().expect(200).unwrap();
    assert!(page.text().contains("Choose a password"));
    let chosen =
        "email=ada%40example.com&password=another+password&password_confirmation=another+password";
    post(&path, chosen).expect(200).unwrap();
    post(&path, chosen).expect(404).unwrap();

    // The new password opens, the old one does not.
    for (password, status) in [("another+password", 200), (Panel::PASSWORD, 422)] {
        let answers = format!("user=ada&password={password}&description=after");
        post("/account/api", &answers).expect(status).unwrap();
    }
    let second = kept.path().join("2.eml");
    server.wait_until(PATIENCE, || Ok(second.exists())).unwrap();
    let log = world.panel.log();
    let token = path.rsplit('/').next().unwrap().split('?').next().unwrap();
    assert!(
        !log.contains(token) && !log.contains("smtp-secret"),
        "{log}"
    );
    server.stop().unwrap();
}

/// The path of the link in the text of a mail, whose long lines are folded.
fn link(mail: &str, url: &str) -> String {
    let unfolded = mail
        .replace("=\r\n", "")
        .replace("=\n", "")
        .replace("=3D", "=");
    let start = unfolded
        .find(&format!("{url}/auth/password/reset/"))
        .unwrap();
    let link = unfolded[start + url.len()..]
        .split_whitespace()
        .next()
        .unwrap();
    link.to_owned()
}
