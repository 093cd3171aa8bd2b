//! Containers of a real engine, whose socket `HATCHERY_TEST_DOCKER` names. Images are made on the
//! spot from a static busybox, since a test machine may reach no registry.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use hatchery_ambient::SystemClock;
use hatchery_runtime::docker::{DockerConfig, DockerRuntime};
use hatchery_runtime::{BindMount, InstallSpec, InstanceSpec, PortBinding, Runtime, RuntimeError};
use hatchery_vocab::{Port, ServerUuid};
use tempfile::TempDir;
use tokio::sync::{Mutex, mpsc};

use crate::shared::Machine;
use crate::support::{Hand, code, fresh_server, limits, machine_has};

/// The image of the games: its entry point runs the start line as the well-known ones do.
const GAME: &str = "~hatchery-test:game";
/// The image of the installations: no entry point.
const INSTALLER: &str = "~hatchery-test:installer";

const ENTRYPOINT: &str = r#"#!/bin/sh
cd /home/container
line=$(echo "$STARTUP" | sed -e 's/{{/${/g' -e 's/}}/}/g')
echo ":/home/container$ $line"
exec sh -c "$line"
"#;

/// An engine with one server.
pub(crate) struct DockerWorld {
    socket: PathBuf,
    data: TempDir,
    server: ServerUuid,
    runtime: DockerRuntime,
}

impl DockerWorld {
    /// Nothing where there is no engine, and a word about it.
    pub(crate) async fn new() -> Option<Self> {
        let Some(socket) = std::env::var_os("HATCHERY_TEST_DOCKER").map(PathBuf::from) else {
            eprintln!("SKIPPED: HATCHERY_TEST_DOCKER names no container engine");
            return None;
        };
        if !machine_has("busybox") || !machine_has("docker") {
            return None;
        }
        make_images(&socket).await;
        let data = TempDir::with_prefix("hatchery-docker-").unwrap();
        let server = fresh_server();
        std::fs::create_dir_all(data.path().join(server.to_string())).unwrap();
        let runtime = connect(&socket, data.path()).await;
        Some(Self {
            socket,
            data,
            server,
            runtime,
        })
    }
}

impl Drop for DockerWorld {
    /// Removes what a failed test has left.
    fn drop(&mut self) {
        for name in [
            self.server.to_string(),
            format!("{}_installer", self.server),
        ] {
            let _ = docker(&self.socket, &["rm", "--force", &name])
                .stderr(Stdio::null())
                .output();
        }
    }
}

async fn connect(socket: &Path, data: &Path) -> DockerRuntime {
    let mut config = DockerConfig::new(
        socket.to_owned(),
        data.display().to_string(),
        (54_321, 54_321),
    );
    "hatchery-test".clone_into(&mut config.network.name);
    "hatchery-test".clone_into(&mut config.network.mode);
    (config.network.v4, config.network.v6) = (None, None);
    DockerRuntime::connect(config, Arc::new(SystemClock))
        .await
        .unwrap()
}

fn docker(socket: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command
        .arg("--host")
        .arg(format!("unix://{}", socket.display()))
        .args(arguments)
        .stdout(Stdio::null());
    command
}

async fn make_images(socket: &Path) {
    static MADE: Mutex<bool> = Mutex::const_new(false);
    let mut made = MADE.lock().await;
    if *made {
        return;
    }
    let root = TempDir::new().unwrap();
    for folder in [
        "bin",
        "etc",
        "home/container",
        "mnt/server",
        "tmp",
        "proc",
        "dev",
        "sys",
    ] {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    let shared = std::fs::Permissions::from_mode(0o1777);
    std::fs::set_permissions(root.path().join("tmp"), shared).unwrap();
    let busybox = ["/usr/bin/busybox", "/bin/busybox"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .unwrap();
    std::fs::copy(busybox, root.path().join("bin/busybox")).unwrap();
    let applets = Command::new(busybox).arg("--list").output().unwrap().stdout;
    for applet in String::from_utf8(applets)
        .unwrap()
        .lines()
        .filter(|applet| *applet != "busybox")
    {
        symlink("busybox", root.path().join("bin").join(applet)).unwrap();
    }
    let entrypoint = root.path().join("entrypoint.sh");
    std::fs::write(&entrypoint, ENTRYPOINT).unwrap();
    std::fs::set_permissions(&entrypoint, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(
        root.path().join("etc/passwd"),
        "container:x:54321:54321::/home/container:/bin/sh\n",
    )
    .unwrap();
    let archive = Command::new("tar")
        .arg("-C")
        .arg(root.path())
        .args(["-c", "."])
        .output()
        .unwrap()
        .stdout;
    for (image, change) in [
        (GAME, Some("ENTRYPOINT [\"/entrypoint.sh\"]")),
        (INSTALLER, None),
    ] {
        let mut arguments = vec!["import"];
        arguments.extend(change.iter().flat_map(|change| ["--change", *change]));
        arguments.extend(["-", image.trim_start_matches('~')]);
        let mut import = docker(socket, &arguments)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        import.stdin.take().unwrap().write_all(&archive).unwrap();
        assert!(import.wait().unwrap().success());
    }
    *made = true;
}

impl Machine for DockerWorld {
    fn runtime(&self) -> &dyn Runtime {
        &self.runtime
    }

    fn server(&self) -> ServerUuid {
        self.server
    }

    fn root(&self) -> PathBuf {
        self.data.path().join(self.server.to_string())
    }

    fn spec(&self, line: &str) -> InstanceSpec {
        InstanceSpec {
            server: self.server,
            root: self.root(),
            invocation: line.to_owned(),
            environment: vec![
                ("STARTUP".to_owned(), line.to_owned()),
                ("SERVER_MEMORY".to_owned(), "128".to_owned()),
            ],
            image: GAME.to_owned(),
            limits: limits(),
            ports: Vec::new(),
            mounts: Vec::new(),
            labels: Vec::new(),
        }
    }

    fn script(&self, script: &str) -> InstallSpec {
        InstallSpec {
            server: self.server,
            root: self.root(),
            entrypoint: "ash".to_owned(),
            script: script.to_owned(),
            environment: vec![("VERSION".to_owned(), "1.2".to_owned())],
            image: INSTALLER.to_owned(),
            limits: limits(),
        }
    }

    fn restarted(&self) -> BoxFuture<'_, Arc<dyn Runtime>> {
        Box::pin(async {
            Arc::new(connect(&self.socket, self.data.path()).await) as Arc<dyn Runtime>
        })
    }
}

#[tokio::test]
async fn a_container_is_confined_as_the_protocol_says() {
    let Some(world) = DockerWorld::new().await else {
        return;
    };
    let map = world.data.path().join("maps");
    std::fs::create_dir(&map).unwrap();
    std::fs::write(map.join("map"), "terrain").unwrap();
    std::fs::write(world.root().join("by-root"), "x").unwrap();
    let line = "id -u; cat /maps/map; echo; for file in /x /maps/x /etc/x; do echo x > $file || echo \"safe $file\"; done; \
        echo x > by-root && echo owner; echo '#!/bin/sh' > /tmp/x; echo 'echo runs' >> /tmp/x; sh /tmp/x; \
        grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status; hostname";
    let mut spec = world.spec(line);
    spec.mounts = vec![BindMount {
        source: map,
        target: "/maps".into(),
        read_only: true,
    }];
    let (exit, seen) = Hand::new(world.runtime.start(&spec).await.unwrap())
        .end()
        .await;
    assert_eq!(exit, code(0), "{seen}");
    for line in [
        "54321",
        "terrain",
        "safe /x",
        "safe /maps/x",
        "safe /etc/x",
        "owner",
        "runs",
        "NoNewPrivs:\t1",
    ] {
        assert!(seen.contains(&format!("{line}\r\n")), "{line}: {seen}");
    }
    assert!(seen.ends_with(&format!("{}\r\n", world.server)), "{seen}");
    // chown, setgid, setuid, kill: what is left of the engine's defaults.
    assert!(seen.contains("CapBnd:\t00000000000000e1\r\n"), "{seen}");
}

#[tokio::test]
async fn a_port_of_the_container_is_reached_at_its_address() {
    use std::io::Read;
    let Some(world) = DockerWorld::new().await else {
        return;
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut spec = world.spec(&format!("echo open; echo hello | nc -l -p {free}"));
    // An address of the machine that is not 127.0.0.1, which is bound to the network's own.
    spec.ports = vec![PortBinding {
        ip: world.runtime.host_address(),
        port: Port::new(free).unwrap(),
    }];
    let mut hand = Hand::new(world.runtime.start(&spec).await.unwrap());
    hand.until("\r\nopen\r\n").await;
    let mut answer = String::new();
    // The engine's proxy may accept before the game listens, or not at all until then.
    while answer.is_empty() {
        if let Ok(mut stream) = std::net::TcpStream::connect((world.runtime.host_address(), free)) {
            let _ = stream.read_to_string(&mut answer);
        }
    }
    assert_eq!(answer, "hello\n");
    assert_eq!(hand.end().await.0, code(0));
}

#[tokio::test]
async fn an_image_that_cannot_be_had_is_told() {
    let Some(world) = DockerWorld::new().await else {
        return;
    };
    let (progress, _lines) = mpsc::channel(16);
    let mut spec = world.spec("true");
    world
        .runtime
        .prepare(&spec, progress.clone())
        .await
        .unwrap();
    // A pull that fails falls back on the image that is here.
    spec.image = "hatchery-test:game".to_owned();
    world
        .runtime
        .prepare(&spec, progress.clone())
        .await
        .unwrap();
    for image in [
        "~hatchery-test:missing",
        "127.0.0.1:1/hatchery-test:missing",
    ] {
        spec.image = image.to_owned();
        let refused = world.runtime.prepare(&spec, progress.clone()).await;
        assert!(
            matches!(refused, Err(RuntimeError::Image { .. })),
            "{refused:?}"
        );
    }
    let refused = world.runtime.start(&spec).await;
    assert!(
        matches!(refused, Err(RuntimeError::Image { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn another_node_s_containers_are_left_alone() {
    let Some(world) = DockerWorld::new().await else {
        return;
    };
    let mut hand = world.start("echo ready; read line").await;
    hand.until("\r\nready\r\n").await;
    let neighbour = connect(&world.socket, Path::new("/another/node")).await;
    assert!(neighbour.reattach().await.unwrap().is_empty());
    hand.send("").await;
    assert_eq!(hand.end().await.0, code(0));
}

#[tokio::test]
async fn an_installation_is_bounded_and_its_script_is_nowhere_on_the_host() {
    let Some(world) = DockerWorld::new().await else {
        return;
    };
    let script = "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null\n\
        grep -E '^NoNewPrivs' /proc/self/status\ngrep /mnt/install /proc/mounts || echo no mount\n\
        echo changed > /mnt/install/install.sh\n";
    let (exit, seen) = Hand::new(world.runtime.install(&world.script(script)).await.unwrap())
        .end()
        .await;
    assert_eq!(exit, code(0), "{seen}");
    assert!(
        seen.contains("128\r\n") && seen.contains("NoNewPrivs:\t1") && seen.contains("no mount"),
        "{seen}"
    );
    // A changed script changes nothing for the next time.
    let (_, seen) = Hand::new(
        world
            .runtime
            .install(&world.script("echo second\n"))
            .await
            .unwrap(),
    )
    .end()
    .await;
    assert_eq!(seen, "second\r\n");
}
