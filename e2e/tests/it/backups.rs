//! Backups through the whole product: made, looked into, put back, deleted; on the node, and in a
//! bucket of a real S3 service.

use std::process::Command;

use hatchery_e2e::{Engine, Service, exchange, free_port};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::world::{Game, PATIENCE, World, python, run, wait_for};

/// The steps of a backup, as the owner's program takes them.
struct Backups<'a> {
    world: &'a World,
    game: &'a Game<'a>,
}

impl Backups<'_> {
    fn call(&self, method: &str, rest: &str, body: &Value) -> hatchery_e2e::Answer {
        let path = self.game.path(&format!("/backups{rest}"));
        let headers = [("Content-Type", "application/json")];
        let body = body.to_string();
        let client = self.world.client();
        client
            .call(method, &path, &headers, body.as_bytes())
            .unwrap()
    }

    /// Begins a backup and waits until it has ended.
    fn make(&self, body: &Value) -> Value {
        let begun = self.call("POST", "", body).expect_json(200).unwrap();
        let uuid = begun["attributes"]["uuid"].as_str().unwrap().to_owned();
        self.ended(&uuid)
    }

    fn ended(&self, uuid: &str) -> Value {
        wait_for("the end of the backup", || {
            let answer = self.call("GET", &format!("/{uuid}"), &Value::Null);
            let backup = answer.expect_json(200).unwrap()["attributes"].clone();
            (!backup["completed_at"].is_null()).then_some(backup)
        })
    }

    /// Follows the link and lists what is in the archive.
    fn contents(&self, backup: &Value) -> Vec<String> {
        let rest = format!("/{}/download", text(&backup["uuid"]));
        let link = self.call("GET", &rest, &Value::Null);
        let link = link.expect_json(200).unwrap();
        let link = text(&link["attributes"]["url"]);
        let (address, path) = link
            .strip_prefix("http://")
            .and_then(|link| link.split_once('/'))
            .unwrap();
        let head = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let archive = exchange(address.parse().unwrap(), head.as_bytes(), b"");
        let archive = archive.unwrap().expect(200).unwrap();
        assert_eq!(
            archive.body.len(),
            backup["bytes"].as_u64().unwrap() as usize
        );
        let file = self.world.panel.scratch().join("downloaded.tar.gz");
        std::fs::write(&file, archive.body).unwrap();
        let sum = run(Command::new("sha1sum").arg(&file));
        let sum = format!("sha1:{}", sum.split(' ').next().unwrap());
        assert_eq!(text(&backup["checksum"]), sum);
        let list = run(Command::new("tar").arg("-tzf").arg(file));
        list.lines().map(str::to_owned).collect()
    }

    fn restore(&self, backup: &Value, truncate: bool) {
        let rest = format!("/{}/restore", text(&backup["uuid"]));
        self.call("POST", &rest, &json!({ "truncate": truncate }))
            .expect(204)
            .unwrap();
        wait_for("the end of the restoration", || {
            let server = self.world.client().get(&self.game.path("")).unwrap();
            let server = server.expect_json(200).unwrap();
            server["attributes"]["status"].is_null().then_some(())
        });
    }

    fn read(&self, file: &str) -> Option<String> {
        let path = self.game.path(&format!("/files/contents?file={file}"));
        let answer = self.world.client().get(&path).unwrap();
        (answer.status == 200).then(|| answer.text())
    }

    fn delete(&self, backup: &Value) {
        let rest = format!("/{}", text(&backup["uuid"]));
        self.call("DELETE", &rest, &Value::Null)
            .expect(204)
            .unwrap();
        assert_eq!(self.call("GET", &rest, &Value::Null).status, 404);
    }

    /// The whole way, while the game runs.
    fn chain(&self) {
        let game = self.game;
        game.write("/keep.txt", b"old");
        game.write("/skip.log", b"x");
        let backup = self.make(&json!({"name": "first", "ignored": "*.log\n"}));
        assert_eq!(
            backup["is_successful"],
            true,
            "{}",
            self.world.panel.log_tail()
        );
        let names = self.contents(&backup);
        assert!(names.contains(&"keep.txt".to_owned()), "{names:?}");
        assert!(!names.contains(&"skip.log".to_owned()), "{names:?}");

        let mut console = game.console();
        game.start(&mut console);
        game.write("/keep.txt", b"new");
        game.write("/added.txt", b"new");
        self.restore(&backup, false);
        console.status("offline");
        assert_eq!(self.read("/keep.txt").as_deref(), Some("old"));
        assert_eq!(self.read("/added.txt").as_deref(), Some("new"));
        self.restore(&backup, true);
        assert_eq!(self.read("/keep.txt").as_deref(), Some("old"));
        assert_eq!(self.read("/added.txt"), None);
        // What was put back is the game's own: it starts.
        game.start(&mut console);
        game.kill(&mut console);
        let events = game.activity();
        for event in [
            "server:backup.start",
            "server:backup.complete",
            "server:backup.download",
            "server:backup.restore",
            "server:backup.restore-complete",
        ] {
            assert!(
                events.iter().any(|known| known == event),
                "{event}: {events:?}"
            );
        }
        self.delete(&backup);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A world in which backups may be made as often as a test wants to.
fn world(settings: &[(&str, &str)]) -> World {
    let settings: Vec<_> = [("HATCHERY_BACKUPS_THROTTLE_PERIOD", "0")]
        .iter()
        .chain(settings)
        .copied()
        .collect();
    World::with(Engine::Process, &settings)
}

#[test]
fn a_backup_on_the_node() {
    let world = world(&[]);
    let game = world.server("demo", &["--backups", "2"]);
    let backups = Backups {
        world: &world,
        game: &game,
    };
    backups.chain();
    let folder = world.panel.data().join("backups").join(&game.uuid);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn a_backup_that_a_crash_cut_short_has_failed() {
    let mut world = world(&[]);
    let (id, uuid) = {
        let game = world.server("demo", &["--backups", "2"]);
        (game.id.clone(), game.uuid.clone())
    };
    // Random bytes take the compressor long enough to be killed in the middle.
    let folder = world.panel.data().join("volumes").join(&uuid);
    let mut random = std::fs::File::open("/dev/urandom").unwrap();
    let mut big = std::fs::File::create(folder.join("big")).unwrap();
    let mut random = std::io::Read::take(&mut random, 256 << 20);
    std::io::copy(&mut random, &mut big).unwrap();
    let client = world.client();
    let path = format!("/api/client/servers/{id}/backups");
    let begun = client.post(&path, &json!({})).unwrap();
    let begun = begun.expect_json(200).unwrap();
    world.panel.kill().unwrap();
    world.panel.start_again().unwrap();
    let path = format!("{path}/{}", text(&begun["attributes"]["uuid"]));
    let ended = wait_for("the report of the failure", || {
        let backup = client.get(&path).unwrap().expect_json(200).unwrap();
        let backup = backup["attributes"].clone();
        (!backup["completed_at"].is_null()).then_some(backup)
    });
    assert_eq!(ended["is_successful"], false);
    let folder = world.panel.data().join("backups").join(&uuid);
    wait_for("the draft to be gone", || {
        (std::fs::read_dir(&folder).unwrap().count() == 0).then_some(())
    });
}

/// The S3 service: moto, which keeps everything in memory.
fn bucket() -> (Service, String) {
    let environment = python("moto", include_str!("../../services/requirements.txt"));
    let port = free_port().unwrap().to_string();
    let arguments = ["-H", "127.0.0.1", "-p", &port].map(std::ffi::OsStr::new);
    let mut service = Service::start(
        "moto",
        &environment.join("bin/moto_server"),
        &arguments,
        None,
        Signal::TERM,
        |command| {
            command
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null());
        },
    )
    .unwrap();
    let address = format!("127.0.0.1:{port}");
    let ask = |head: &str| {
        let head = format!(
            "{head} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        exchange(address.parse().unwrap(), head.as_bytes(), b"")
    };
    service
        .wait_until(PATIENCE, || Ok(ask("GET /").is_ok()))
        .unwrap();
    ask("PUT /backups").unwrap().expect(200).unwrap();
    (service, address)
}

fn s3_settings(address: &str) -> Vec<(&'static str, String)> {
    vec![
        ("HATCHERY_BACKUPS_DRIVER", "s3".to_owned()),
        ("HATCHERY_S3_ENDPOINT", format!("http://{address}")),
        ("HATCHERY_S3_BUCKET", "backups".to_owned()),
        ("HATCHERY_S3_ACCESS_KEY", "test-access".to_owned()),
        (
            "HATCHERY_S3_SECRET_KEY",
            "test-secret-of-the-bucket".to_owned(),
        ),
        ("HATCHERY_S3_ADDRESS_STYLE", "path".to_owned()),
        ("HATCHERY_S3_MAX_PART_SIZE", "5".to_owned()),
    ]
}

#[test]
fn a_backup_in_a_bucket() {
    let (service, address) = bucket();
    let settings = s3_settings(&address);
    let settings: Vec<_> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let world = world(&settings);
    let game = world.server("demo", &["--backups", "3"]);
    // Several parts.
    let folder = world.panel.data().join("volumes").join(&game.uuid);
    let mut random = std::fs::File::open("/dev/urandom").unwrap();
    let mut random = std::io::Read::take(&mut random, 12 << 20);
    let mut big = std::fs::File::create(folder.join("big")).unwrap();
    std::io::copy(&mut random, &mut big).unwrap();
    let backups = Backups {
        world: &world,
        game: &game,
    };
    backups.chain();

    // The service goes away in the middle: the backup has failed, and nothing goes on.
    service.stop().unwrap();
    let failed = backups.make(&json!({}));
    assert_eq!(failed["is_successful"], false);
    let folder = world.panel.data().join("backups").join(&game.uuid);
    wait_for("the draft to be gone", || {
        (std::fs::read_dir(&folder).unwrap().count() == 0).then_some(())
    });
    assert!(
        !world.panel.log().contains("test-secret-of-the-bucket"),
        "the log tells the secret"
    );
    assert!(
        !world.panel.log().contains("X-Amz-Signature"),
        "the log tells a signed address"
    );
}
