//! A panel with an owner, and servers as its owner sees them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use hatchery_e2e::{Client, Engine, Options, Panel, free_port};
use serde_json::{Value, json};

use crate::console::Console;
use crate::image;

/// How long anything may take. Nothing asserts that it was quick.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// What a test says when the machine cannot run it; the runner counts it.
pub(crate) fn skip(reason: &str) {
    println!("SKIPPED: {reason}");
}

/// Containers, with the test image loaded; `None` (and said so) where no engine answers.
pub(crate) fn containers() -> Option<Engine> {
    let Some(socket) = std::env::var_os("HATCHERY_TEST_DOCKER").map(PathBuf::from) else {
        skip("HATCHERY_TEST_DOCKER names no Docker Engine; `cargo xtask e2e` starts one");
        return None;
    };
    image::load(&socket);
    Some(Engine::Docker(socket))
}

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    match std::env::var_os("HATCHERY_BIN") {
        Some(path) => PathBuf::from(path),
        None => panic!("HATCHERY_BIN names no binary: run `cargo xtask e2e`"),
    }
}

/// The folder for what package managers install.
pub(crate) fn cache() -> PathBuf {
    let folder = std::env::var_os("HATCHERY_E2E_CACHE").map_or_else(
        || std::env::temp_dir().join("hatchery-e2e-cache"),
        PathBuf::from,
    );
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs `make` once for all tests and runs, and again when what it is made from has changed. Others
/// wait, and find `folder` finished.
pub(crate) fn once(folder: &Path, made_from: &str, make: impl FnOnce(&Path)) {
    let name = folder.file_name().unwrap().to_string_lossy();
    let lock = std::fs::File::create(folder.with_file_name(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let done = folder.with_file_name(format!("{name}.done"));
    if folder.exists() && std::fs::read_to_string(&done).is_ok_and(|known| known == made_from) {
        return;
    }
    drop(std::fs::remove_file(&done));
    drop(std::fs::remove_dir_all(folder));
    std::fs::create_dir_all(folder).unwrap();
    make(folder);
    std::fs::write(done, made_from).unwrap();
}

/// A Python environment with published packages, made once. `requirements` is what pip reads.
pub(crate) fn python(name: &str, requirements: &str) -> PathBuf {
    let environment = cache().join(name);
    once(&environment, requirements, |environment| {
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(environment));
        let list = environment.join("requirements.txt");
        std::fs::write(&list, requirements).unwrap();
        let mut pip = Command::new(environment.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]);
        run(pip.arg("--requirement").arg(list));
    });
    environment
}

/// Runs a program to its end and gives back what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{command:?}: {}\n{out}\n{err}",
        output.status
    );
    out.into_owned()
}

/// A running panel with an owner of servers, who is an administrator.
pub(crate) struct World {
    pub(crate) panel: Panel,
    pub(crate) key: String,
}

impl World {
    /// A new panel.
    pub(crate) fn new(engine: Engine) -> World {
        World::with(engine, &[])
    }

    /// A new panel with further settings.
    pub(crate) fn with(engine: Engine, settings: &[(&str, &str)]) -> World {
        // These tests ask more often than a person may.
        let environment = [("HATCHERY_RATE_LIMIT_PER_MINUTE", "0")]
            .iter()
            .chain(settings)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let options = Options {
            binary: binary(),
            engine,
            environment,
        };
        let mut panel = Panel::start(options).unwrap();
        let key = panel.user("ada", true).unwrap();
        World { panel, key }
    }

    /// The owner's client.
    pub(crate) fn client(&self) -> Client {
        self.panel.client(Some(&self.key))
    }

    /// A server of a shipped egg, or of one that was imported, installed and offline.
    pub(crate) fn server(&self, egg: &str, options: &[&str]) -> Game<'_> {
        let port = free_port().unwrap();
        let port_text = port.to_string();
        let mut arguments = vec![
            "server", "create", "--name", "Coop", "--owner", "ada", "--egg", egg,
        ];
        arguments.extend(["--port", &port_text]);
        arguments.extend(options);
        let created = self.panel.run_json(&arguments).unwrap();
        let text = |name: &str| {
            created[name]
                .as_str()
                .unwrap_or_else(|| panic!("{created}"))
                .to_owned()
        };
        let game = Game {
            world: self,
            id: text("identifier"),
            uuid: text("uuid"),
            port,
        };
        game.wait_until_installed();
        game
    }

    /// A server that does what `coop.sh` can.
    pub(crate) fn coop(&self, options: &[&str]) -> Game<'_> {
        let egg = concat!(env!("CARGO_MANIFEST_DIR"), "/games/coop/egg.json");
        self.panel.run(&["egg", "import", egg]).unwrap();
        let game = self.server("Coop", options);
        game.write("/coop.sh", include_bytes!("../../games/coop/coop.sh"));
        game
    }
}

/// A server, as its owner's programs see it.
pub(crate) struct Game<'a> {
    world: &'a World,
    pub(crate) id: String,
    pub(crate) uuid: String,
    pub(crate) port: u16,
}

impl Game<'_> {
    /// `/api/client/servers/<id><rest>`
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/client/servers/{}{rest}", self.id)
    }

    fn wait_until_installed(&self) {
        wait_for("the installation", || {
            let answer = self.world.client().get(&self.path("")).unwrap();
            let server = answer.expect_json(200).unwrap();
            let attributes = &server["attributes"];
            assert_ne!(
                attributes["status"],
                "install_failed",
                "{}",
                self.world.panel.log_tail()
            );
            (attributes["is_installing"] == false).then_some(())
        });
    }

    /// Asks for a power action, which must be accepted.
    pub(crate) fn power(&self, signal: &str) {
        let answer = self
            .world
            .client()
            .post(&self.path("/power"), &json!({ "signal": signal }));
        answer.unwrap().expect(204).unwrap();
    }

    /// Sends a console command by HTTP and gives back the status.
    pub(crate) fn command(&self, line: &str) -> u16 {
        let body = json!({ "command": line });
        self.world
            .client()
            .post(&self.path("/command"), &body)
            .unwrap()
            .status
    }

    /// Writes a file of the server.
    pub(crate) fn write(&self, file: &str, content: &[u8]) {
        let path = self.path(&format!("/files/write?file={file}"));
        let headers = [("Content-Type", "text/plain")];
        let answer = self.world.client().call("POST", &path, &headers, content);
        answer.unwrap().expect(204).unwrap();
    }

    /// What the server uses: the attributes of `/resources`.
    pub(crate) fn resources(&self) -> Value {
        let answer = self.world.client().get(&self.path("/resources")).unwrap();
        answer.expect_json(200).unwrap()["attributes"].clone()
    }

    /// The events of the server's activity log, newest first.
    pub(crate) fn activity(&self) -> Vec<String> {
        let answer = self
            .world
            .client()
            .get(&self.path("/activity?per_page=100&sort=-timestamp"));
        let list = answer.unwrap().expect_json(200).unwrap();
        let rows = list["data"].as_array().unwrap();
        rows.iter()
            .map(|row| row["attributes"]["event"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Opens the console and signs in.
    pub(crate) fn console(&self) -> Console {
        Console::open(&self.world.client(), &self.path("/websocket"))
    }

    /// Starts the server and waits until it is up.
    pub(crate) fn start(&self, console: &mut Console) {
        self.power("start");
        console.status("starting");
        console.status("running");
    }

    /// Stops the server by force and waits until it is down.
    pub(crate) fn kill(&self, console: &mut Console) {
        self.power("kill");
        console.status("offline");
    }
}

/// Asks until there is an answer; fails after [`PATIENCE`].
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The addresses at which a game of this machine may be reached: loopback for processes, that of a
/// bridge for containers whose allocation is loopback (node-protocol.md §5.9).
pub(crate) fn own_addresses() -> Vec<String> {
    let mut addresses = vec!["127.0.0.1".to_owned()];
    let more = run(Command::new("hostname").arg("-I"));
    addresses.extend(
        more.split_whitespace()
            .filter(|a| a.contains('.'))
            .map(str::to_owned),
    );
    addresses
}

/// The processes whose command line contains a text.
pub(crate) fn processes_with(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line)
            .replace('\0', " ")
            .contains(text)
        {
            found.push(id);
        }
    }
    found
}
