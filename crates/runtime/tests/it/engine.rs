//! A scripted engine at a socket: what a real one does not do on demand.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hatchery_ambient::SystemClock;
use hatchery_runtime::docker::{DockerConfig, DockerRuntime};
use hatchery_runtime::{Exit, InstanceSpec, Runtime, RuntimeError};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::support::{Hand, fresh_server, limits};

/// What the engine's terminal says each time somebody attaches; it breaks off after each.
const SCENES: [&str; 2] = ["first ", "second"];

/// An engine with one container, which runs until the last scene has been shown.
#[derive(Default)]
struct Engine {
    created: AtomicUsize,
    shown: AtomicUsize,
    removed: AtomicUsize,
}

impl Engine {
    fn open(self: &Arc<Self>, socket: &Path) {
        let listener = UnixListener::bind(socket).unwrap();
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let engine = Arc::clone(&engine);
                tokio::spawn(async move { engine.answer(stream).await });
            }
        });
    }

    async fn answer(&self, mut stream: UnixStream) {
        let head = read_head(&mut stream).await;
        let target = head.lines().next().unwrap().rsplit_once(' ').unwrap().0;
        let ended = self.shown.load(Ordering::SeqCst) == SCENES.len();
        let (status, body) = match target.split('?').next().unwrap() {
            // Older than what the client was written for.
            "GET /version" => ("200 OK", r#"{"ApiVersion":"1.40","MinAPIVersion":"1.12"}"#),
            "GET /v1.40/info" => ("200 OK", "{}"),
            "GET /v1.40/networks" => (
                "200 OK",
                r#"[{"Id":"1","Name":"pterodactyl_nw","IPAM":{"Config":[{"Gateway":"10.9.0.1"}]}}]"#,
            ),
            "POST /v1.40/containers/create" => {
                self.created.fetch_add(1, Ordering::SeqCst);
                ("201 Created", r#"{"Id":"1"}"#)
            }
            path if path.ends_with("/attach") => {
                let scene = self.shown.fetch_add(1, Ordering::SeqCst);
                let upgraded =
                    "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
                stream.write_all(upgraded.as_bytes()).await.unwrap();
                stream.write_all(SCENES[scene].as_bytes()).await.unwrap();
                return;
            }
            path if path.ends_with("/start") => ("204 No Content", ""),
            path if path.ends_with("/wait") && ended => ("200 OK", r#"{"StatusCode":42}"#),
            path if path.ends_with("/wait") => std::future::pending().await,
            path if path.starts_with("DELETE") => {
                self.removed.fetch_add(1, Ordering::SeqCst);
                ("204 No Content", "")
            }
            path if path.ends_with("_installer/json")
                || self.created.load(Ordering::SeqCst) == 0 =>
            {
                ("404 Not Found", r#"{"message":"No such container"}"#)
            }
            _ if ended => (
                "200 OK",
                r#"{"State":{"Status":"exited","Running":false,"ExitCode":42,"OOMKilled":true}}"#,
            ),
            _ => ("200 OK", r#"{"State":{"Status":"running","Running":true}}"#),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

async fn read_head(stream: &mut UnixStream) -> String {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    head
}

async fn connect(socket: &Path) -> Result<DockerRuntime, RuntimeError> {
    let config = DockerConfig::new(socket.to_owned(), "test".to_owned(), (54_321, 54_321));
    DockerRuntime::connect(config, Arc::new(SystemClock)).await
}

#[tokio::test]
async fn a_terminal_that_breaks_off_is_taken_up_again() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("engine.sock");
    let engine = Arc::new(Engine::default());
    engine.open(&socket);
    let runtime = connect(&socket).await.unwrap();
    assert_eq!(runtime.host_address().to_string(), "10.9.0.1");
    let root = folder.path().join("server");
    std::fs::create_dir(&root).unwrap();
    let spec = InstanceSpec {
        server: fresh_server(),
        root,
        invocation: String::new(),
        environment: Vec::new(),
        image: "~game".to_owned(),
        limits: limits(),
        ports: Vec::new(),
        mounts: Vec::new(),
        labels: Vec::new(),
    };
    let (exit, seen) = Hand::new(runtime.start(&spec).await.unwrap()).end().await;
    assert_eq!(seen, "first second");
    assert_eq!(
        exit,
        Exit {
            code: 42,
            out_of_memory: true
        }
    );
    assert_eq!(engine.removed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_machine_without_an_engine_says_so() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("none.sock");
    let error = connect(&socket).await.unwrap_err();
    assert!(matches!(error, RuntimeError::Unsupported(_)));
    assert!(
        error.to_string().contains("cannot be reached at")
            && error.to_string().contains("none.sock")
    );

    // Something answers, but no engine.
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
        }
    });
    assert!(matches!(
        connect(&socket).await,
        Err(RuntimeError::Unsupported(_))
    ));
}
