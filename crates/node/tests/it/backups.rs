//! Backups: made, kept, handed to a bucket, downloaded, put back, deleted.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{get, put};
use hatchery_archive::{Origin, Progress, Unpack, unpack_tar_gz};
use hatchery_node_proto::jwt::BackupDownload;
use hatchery_node_proto::{BackupAdapter, CreateBackup, NodeError, RestoreBackup};
use hatchery_serverfs::{Denylist, RelPath, ServerDir};
use hatchery_vocab::{BackupUuid, PowerSignal, PowerState, ServerUuid};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use tower::ServiceExt as _;

use crate::socket::{Socket, listen};
use crate::world::{World, eventually, uuid};

fn backup(digit: char) -> BackupUuid {
    format!("{digit}2345678-0000-4000-8000-000000000000")
        .parse()
        .unwrap()
}

fn order(digit: char, ignore: &str) -> CreateBackup {
    CreateBackup {
        adapter: BackupAdapter::Wings,
        uuid: backup(digit),
        ignore: ignore.to_owned(),
    }
}

fn put_back(truncate: bool) -> RestoreBackup {
    RestoreBackup {
        adapter: "wings".to_owned(),
        truncate_directory: truncate,
        download_url: String::new(),
    }
}

impl World {
    fn file(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn archive_of(&self, server: ServerUuid, digit: char) -> PathBuf {
        let folder = self.data.path().join(".backups").join(server.to_string());
        folder.join(format!("{}.tar.gz", backup(digit)))
    }

    fn archive(&self, digit: char) -> PathBuf {
        self.archive_of(self.server, digit)
    }

    /// Makes a backup and returns what the panel is told of it.
    async fn make(&self, digit: char, ignore: &str) -> Value {
        self.client
            .create_backup(self.server, &order(digit, ignore))
            .await
            .unwrap();
        self.report(&format!("backups/{}", backup(digit))).await
    }

    /// Puts a backup back and returns what the panel is told of it.
    async fn restore(&self, digit: char, truncate: bool) -> Value {
        self.client
            .restore_backup(self.server, backup(digit), &put_back(truncate))
            .await
            .unwrap();
        self.report(&format!("backups/{}/restore", backup(digit)))
            .await
    }

    /// Waits for a report and takes it.
    async fn report(&self, path: &str) -> Value {
        eventually(&format!("{path} is reported"), || async {
            !self.panel.bodies(path).is_empty()
        })
        .await;
        let report = self.panel.bodies(path).pop().unwrap();
        self.panel.calls.lock().retain(|call| call.1 != path);
        report
    }

    async fn fetch_backup(&self, method: &str, token: &str, range: &str) -> Response<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/download/backup?token={token}"));
        if !range.is_empty() {
            request = request.header("range", range);
        }
        let request = request.body(Body::empty()).unwrap();
        self.node.public_router().oneshot(request).await.unwrap()
    }

    fn token(&self, server: ServerUuid, digit: char) -> String {
        self.clock.advance(Duration::from_millis(1));
        self.sign(
            'b',
            BackupDownload {
                backup_uuid: backup(digit),
                server_uuid: server,
            },
        )
    }
}

/// The names of the files of an archive.
fn names(archive: &std::path::Path) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let files = ServerDir::open(folder.path()).unwrap();
    let how = Unpack {
        into: RelPath::root(),
        denylist: Denylist::empty(),
        origin: Origin::Backup,
    };
    let mut names = Vec::new();
    let file = std::fs::File::open(archive).unwrap();
    let mut each = |path: &RelPath| names.push(path.to_string());
    unpack_tar_gz(&files, &how, file, &Progress::default(), &mut each).unwrap();
    names.sort();
    names
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn status(error: &NodeError) -> u16 {
    error.status().unwrap().as_u16()
}

#[tokio::test]
async fn a_backup_is_an_archive_of_what_is_not_left_out() {
    let world = World::new().await;
    world.file("server.properties", "a=b");
    world.file("world/level.dat", "level");
    world.file("logs/latest.log", "x");
    world.file("cache/x.tmp", "x");
    std::os::unix::fs::symlink("/etc/passwd", world.path("link")).unwrap();
    let report = world.make('1', "logs/\n*.tmp\r\n").await;
    let archive = std::fs::read(world.archive('1')).unwrap();
    let checksum = hex(&Sha1::digest(&archive));
    assert_eq!(
        report,
        json!({"checksum": checksum, "checksum_type": "sha1", "size": archive.len(), "successful": true, "parts": null})
    );
    assert_eq!(
        names(&world.archive('1')),
        ["/server.properties", "/world/level.dat"]
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(world.archive('1')).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);

    // The server's own file counts where the panel says nothing.
    world.file(".pteroignore", "world\n");
    world.make('2', "").await;
    assert_eq!(
        names(&world.archive('2')),
        [
            "/.pteroignore",
            "/cache/x.tmp",
            "/logs/latest.log",
            "/server.properties"
        ]
    );
    world.make('3', "server.properties").await;
    assert!(names(&world.archive('3')).contains(&"/world/level.dat".to_owned()));
    std::fs::remove_file(world.path(".pteroignore")).unwrap();
    std::os::unix::fs::symlink("server.properties", world.path(".pteroignore")).unwrap();
    world.make('4', " ").await;
    assert_eq!(names(&world.archive('4')).len(), 4);
}

#[tokio::test]
async fn those_who_may_see_backups_are_told_of_the_end() {
    let world = World::new().await;
    let address = listen(&world).await;
    let mut owner = Socket::enter(address, &world, 'a', &["*"]).await;
    let mut other = Socket::enter(address, &world, 'b', &["websocket.connect"]).await;
    let report = world.make('1', "").await;
    let payload = json!({
        "checksum": report["checksum"], "checksum_type": "sha1", "file_size": report["size"],
        "is_successful": true, "uuid": backup('1'),
    });
    for event in [
        "backup completed".to_owned(),
        format!("backup completed:{}", backup('1')),
    ] {
        let told: Value = serde_json::from_str(&owner.until(&event).await).unwrap();
        assert_eq!(told, payload, "{event}");
    }
    world.restore('1', false).await;
    loop {
        let text = owner.until("daemon message").await;
        if !text.starts_with("(restoring): ") {
            assert_eq!(text, "Completed server restoration from local backup.");
            break;
        }
    }
    assert_eq!(owner.until("backup restore completed").await, "");
    loop {
        let next = other.next().await;
        let event = next["event"].as_str().unwrap();
        assert!(!event.starts_with("backup completed"), "{next}");
        if event == "backup restore completed" {
            break;
        }
    }
}

#[tokio::test]
async fn a_backup_is_downloaded_once() {
    let world = World::new().await;
    world.file("a", "content");
    world.make('1', "").await;
    let archive = std::fs::read(world.archive('1')).unwrap();
    let token = world.token(world.server, '1');
    let head = world.fetch_backup("HEAD", &token, "").await;
    assert_eq!(head.headers()["content-length"], archive.len().to_string());
    let answer = world.fetch_backup("GET", &token, "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        answer.headers()["content-disposition"],
        format!("attachment; filename=\"{}.tar.gz\"", backup('1'))
    );
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, archive);
    assert_eq!(
        world.fetch_backup("GET", &token, "").await.status(),
        StatusCode::NOT_FOUND
    );
    let token = world.token(world.server, '1');
    let part = world.fetch_backup("GET", &token, "bytes=2-5").await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    let body = part.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, archive[2..6]);
    for (server, digit) in [(world.server, '2'), (uuid('c'), '1')] {
        let token = world.token(server, digit);
        let answer = world.fetch_backup("GET", &token, "").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
    // A token for something else opens nothing.
    let ticket = world.ticket('a', &["*"]);
    assert_eq!(
        world.fetch_backup("GET", &ticket, "").await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_backup_is_put_back_over_what_is_there() {
    let world = World::new().await;
    world.file("changed", "old");
    world.file("gone", "old");
    world.make('1', "").await;
    world.file("changed", "new");
    world.file("added", "new");
    std::fs::remove_file(world.path("gone")).unwrap();
    assert_eq!(world.restore('1', false).await, json!({"successful": true}));
    assert_eq!(world.content("changed").as_deref(), Some("old"));
    assert_eq!(world.content("gone").as_deref(), Some("old"));
    assert_eq!(world.content("added").as_deref(), Some("new"));
    assert_eq!(world.restore('1', true).await, json!({"successful": true}));
    assert_eq!(world.content("changed").as_deref(), Some("old"));
    assert_eq!(world.content("added"), None);
}

#[tokio::test]
async fn what_runs_is_stopped_first() {
    let world = World::new().await;
    world.file("a", "old");
    world.make('1', "").await;
    world
        .client
        .power(world.server, PowerSignal::Start)
        .await
        .unwrap();
    let game = world.runtime.next_start().await;
    game.print("ready").await;
    world.state(PowerState::Running).await;
    world.file("a", "new");
    world
        .client
        .restore_backup(world.server, backup('1'), &put_back(true))
        .await
        .unwrap();
    assert_eq!(game.next_input().await.unwrap().trim_ascii(), b"stop");
    assert_eq!(world.content("a").as_deref(), Some("new"));
    game.exit_with(0);
    let path = format!("backups/{}/restore", backup('1'));
    assert_eq!(world.report(&path).await, json!({"successful": true}));
    assert_eq!(world.content("a").as_deref(), Some("old"));
    world.state(PowerState::Offline).await;
    // It is free again.
    world
        .client
        .power(world.server, PowerSignal::Start)
        .await
        .unwrap();
    world.runtime.next_start().await;
}

#[tokio::test]
async fn nothing_is_deleted_for_an_archive_that_is_damaged() {
    let world = World::new().await;
    world.file("a", &"content".repeat(10_000));
    world.make('1', "").await;
    let archive = std::fs::read(world.archive('1')).unwrap();
    std::fs::write(world.archive('1'), &archive[..archive.len() - 20]).unwrap();
    world.file("a", "new");
    assert_eq!(world.restore('1', true).await, json!({"successful": false}));
    assert_eq!(world.content("a").as_deref(), Some("new"));
    world.state(PowerState::Offline).await;
}

#[tokio::test]
async fn the_disk_limit_holds_while_a_backup_is_put_back() {
    let world = World::new().await;
    world.file("a", &"x".repeat(3 << 20));
    world.make('1', "").await;
    std::fs::remove_file(world.path("a")).unwrap();
    world.panel.change(world.server, |document| {
        document["settings"]["build"]["disk_space"] = json!(1);
    });
    world.client.sync(world.server).await.unwrap();
    assert_eq!(world.restore('1', true).await, json!({"successful": false}));
    assert_eq!(world.content("a"), None);
}

#[tokio::test]
async fn what_is_not_there_can_be_neither_put_back_nor_deleted() {
    let world = World::new().await;
    let restore = |how: RestoreBackup| {
        let (client, server) = (world.client.clone(), world.server);
        async move {
            let refused = client.restore_backup(server, backup('1'), &how).await;
            match refused.unwrap_err() {
                NodeError::Refused { status, error, .. } => (status.as_u16(), error.unwrap()),
                other => panic!("{other}"),
            }
        }
    };
    let gone = "The requested backup was not found on this server.";
    assert_eq!(restore(put_back(true)).await, (404, gone.to_owned()));
    let floppy = RestoreBackup {
        adapter: "floppy".to_owned(),
        ..put_back(true)
    };
    assert_eq!(restore(floppy).await.0, 400);
    let nowhere = RestoreBackup {
        adapter: "s3".to_owned(),
        ..put_back(true)
    };
    assert_eq!(
        restore(nowhere).await,
        (
            400,
            "The download_url field is required when the backup adapter is set to S3.".to_owned()
        )
    );
    let private = RestoreBackup {
        adapter: "s3".to_owned(),
        download_url: "http://127.0.0.1:1/x".to_owned(),
        truncate_directory: true,
    };
    assert_eq!(
        restore(private).await,
        (
            400,
            "The provided backup link cannot be used: it leads into a private network.".to_owned()
        )
    );
    let delete = || world.client.delete_backup(world.server, backup('1'));
    assert_eq!(status(&delete().await.unwrap_err()), 404);
    world.make('1', "").await;
    delete().await.unwrap();
    assert!(!world.archive('1').exists());
    assert_eq!(status(&delete().await.unwrap_err()), 404);
}

#[tokio::test]
async fn archives_of_the_reference_s_daemon_are_found() {
    let world = World::new().await;
    world.file("a", "old");
    world.make('1', "").await;
    let flat = world
        .data
        .path()
        .join(".backups")
        .join(format!("{}.tar.gz", backup('1')));
    std::fs::rename(world.archive('1'), &flat).unwrap();
    world.file("a", "new");
    assert_eq!(world.restore('1', false).await, json!({"successful": true}));
    assert_eq!(world.content("a").as_deref(), Some("old"));
    world
        .client
        .delete_backup(world.server, backup('1'))
        .await
        .unwrap();
    assert!(!flat.exists());
}

#[tokio::test]
async fn a_backup_that_the_end_of_the_node_cut_short_has_failed() {
    let world = World::new().await;
    world.make('1', "").await;
    let draft = world.archive('2').with_extension("gz.draft");
    std::fs::write(&draft, "half of it").unwrap();
    let world = world.restart().await;
    let report = world.report(&format!("backups/{}", backup('2'))).await;
    assert_eq!(report["successful"], false);
    eventually("the draft is gone", || async { !draft.exists() }).await;
    assert!(world.archive('1').exists());
    assert!(
        world
            .panel
            .bodies(&format!("backups/{}", backup('1')))
            .is_empty()
    );
}

#[tokio::test]
async fn a_backup_that_the_panel_does_not_know_is_not_kept() {
    let world = World::new().await;
    let path = format!("backups/{}", backup('1'));
    world.panel.unknown.lock().push(path.clone());
    world.make('1', "").await;
    eventually("the archive is gone", || async {
        !world.archive('1').exists()
    })
    .await;
}

#[tokio::test]
async fn a_report_is_repeated_until_the_panel_hears_it() {
    let world = World::new().await;
    *world.panel.failures.lock() = 2;
    world
        .client
        .create_backup(world.server, &order('1', ""))
        .await
        .unwrap();
    let path = format!("backups/{}", backup('1'));
    eventually("it is reported three times", || async {
        world.panel.bodies(&path).len() == 3
    })
    .await;
    assert!(world.archive('1').exists());
}

#[tokio::test]
async fn backups_of_a_server_wait_for_one_another() {
    let world = World::new().await;
    world.file("a", "content");
    for digit in ['1', '2', '3'] {
        world
            .client
            .create_backup(world.server, &order(digit, ""))
            .await
            .unwrap();
    }
    for digit in ['1', '2', '3'] {
        let report = world.report(&format!("backups/{}", backup(digit))).await;
        assert_eq!(report["successful"], true);
    }
}

#[tokio::test]
async fn a_deleted_server_takes_its_backups_along() {
    let world = World::new().await;
    world.make('1', "").await;
    let other = world.archive_of(uuid('b'), '2');
    std::fs::create_dir_all(other.parent().unwrap()).unwrap();
    std::fs::write(&other, "x").unwrap();
    world.client.delete(world.server).await.unwrap();
    eventually("the archive is gone", || async {
        !world.archive('1').exists()
    })
    .await;
    assert!(other.exists());
}

/// A bucket: what was put into it, and what it answers first.
#[derive(Default)]
struct Bucket {
    parts: Mutex<Vec<(String, Vec<u8>)>>,
    answers: Mutex<Vec<u16>>,
}

impl Bucket {
    /// The bucket, and its address.
    async fn open() -> (Arc<Self>, String) {
        let bucket = Arc::new(Self::default());
        let routes = Router::new()
            .route("/part/{number}", put(Self::put))
            .route("/whole", get(Self::whole))
            .route("/page", get(|| async { "<html>" }))
            .with_state(Arc::clone(&bucket));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (bucket, address)
    }

    async fn put(
        State(bucket): State<Arc<Self>>,
        Path(number): Path<String>,
        request: Request<Body>,
    ) -> Response<Body> {
        let (head, body) = request.into_parts();
        assert_eq!(head.headers["content-type"], "application/x-gzip");
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        assert_eq!(head.headers["content-length"], body.len().to_string());
        let answer = bucket.answers.lock().pop().unwrap_or(200);
        if answer == 200 {
            bucket.parts.lock().push((number.clone(), body));
        }
        Response::builder()
            .status(answer)
            .header("etag", format!("\"tag{number}\""))
            .body(Body::empty())
            .unwrap()
    }

    #[expect(clippy::unused_async, reason = "a handler is asynchronous")]
    async fn whole(State(bucket): State<Arc<Self>>) -> Response<Body> {
        Response::builder()
            .header("content-type", "application/x-gzip; charset=binary")
            .body(Body::from(bucket.content()))
            .unwrap()
    }

    fn content(&self) -> Vec<u8> {
        let parts = self.parts.lock();
        parts.iter().flat_map(|(_, bytes)| bytes.clone()).collect()
    }
}

/// A world whose bucket takes parts of 100 bytes, and an archive of at least two.
async fn with_bucket() -> (World, Arc<Bucket>, String) {
    let trusted = |config: &mut hatchery_node::NodeConfig| {
        config.backup_hosts = vec!["127.0.0.1".to_owned()];
    };
    let world = World::with(|_| {}, trusted).await;
    world.file("a", "content");
    let (bucket, address) = Bucket::open().await;
    let parts: Vec<_> = (1..=2).map(|n| format!("{address}/part/{n}")).collect();
    *world.panel.addresses.lock() = json!({"parts": parts, "part_size": 100});
    (world, bucket, address)
}

async fn make_in_bucket(world: &World) -> Value {
    let order = CreateBackup {
        adapter: BackupAdapter::S3,
        ..order('1', "")
    };
    world
        .client
        .create_backup(world.server, &order)
        .await
        .unwrap();
    world.report(&format!("backups/{}", backup('1'))).await
}

#[tokio::test]
async fn a_bucket_gets_an_archive_in_parts() {
    let (world, bucket, address) = with_bucket().await;
    // The second part fails at first.
    *bucket.answers.lock() = vec![200, 500, 200];
    let report = make_in_bucket(&world).await;
    assert_eq!(
        (report["successful"].as_bool(), &report["parts"]),
        (
            Some(true),
            &json!([{"etag": "\"tag1\"", "part_number": 1}, {"etag": "\"tag2\"", "part_number": 2}])
        )
    );
    let archive = bucket.content();
    assert_eq!(report["size"], archive.len());
    assert_eq!(bucket.parts.lock()[0].1.len(), 100);
    let asked =
        world.panel.calls.lock().iter().any(|call| {
            call.1 == format!("backups/{}", backup('1')) && call.0 == http::Method::GET
        });
    assert!(!asked, "the report was taken with its question");
    let folder = world.archive('1').parent().unwrap().to_owned();
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);

    world.file("a", "new");
    world.file("b", "new");
    let how = RestoreBackup {
        adapter: "s3".to_owned(),
        truncate_directory: true,
        download_url: format!("{address}/whole"),
    };
    world
        .client
        .restore_backup(world.server, backup('1'), &how)
        .await
        .unwrap();
    let path = format!("backups/{}/restore", backup('1'));
    assert_eq!(world.report(&path).await, json!({"successful": true}));
    assert_eq!(world.content("a").as_deref(), Some("content"));
    assert_eq!(world.content("b"), None);
    let page = RestoreBackup {
        download_url: format!("{address}/page"),
        ..how
    };
    let refused = world
        .client
        .restore_backup(world.server, backup('1'), &page)
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("\"text/plain; charset=utf-8\" is not application/x-gzip"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_bucket_that_refuses_ends_a_backup() {
    let (world, bucket, _) = with_bucket().await;
    *bucket.answers.lock() = vec![403];
    let report = make_in_bucket(&world).await;
    assert_eq!(
        report,
        json!({"checksum": "", "checksum_type": "", "size": 0, "successful": false, "parts": null})
    );
    // So does a panel that gives addresses which do not fit.
    *world.panel.addresses.lock() = json!({"parts": [], "part_size": 100});
    assert_eq!(make_in_bucket(&world).await["successful"], false);
    let folder = world.archive('1').parent().unwrap().to_owned();
    eventually("nothing is left", || async {
        std::fs::read_dir(&folder).unwrap().count() == 0
    })
    .await;
}
