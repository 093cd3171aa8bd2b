//! `cargo xtask bench`: how fast the Client API answers, beside a bare endpoint of the same HTTP
//! stack that sends the same bytes from memory. Ratios of one run are what counts: the machine is
//! never the same twice.

mod load;
mod page;

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hatchery_e2e::{Client, Engine, Options, Panel, Service, free_port};
use rustix::process::Signal;
use serde_json::json;

use crate::panel::{self, Profile};
use crate::{interrupt, machine, project};
use load::{Load, Measured};

/// A panel that is measured: how many servers it has, how many of them are the caller's, and how
/// many activity entries it has.
#[derive(Clone, Copy)]
struct World {
    servers: &'static str,
    of_one_user: &'static str,
    activity: &'static str,
}

/// The world that is measured in.
const LARGE: World = World {
    servers: "10000",
    of_one_user: "50",
    activity: "1000000",
};
/// The world beside which the large one must not be slower.
const SMALL: World = World {
    servers: "10",
    of_one_user: "10",
    activity: "1000",
};

/// How often each pair of routes is measured; the page shows the median.
const ROUNDS: usize = 5;

/// How often the panel is started for the cold start.
const STARTS: usize = 5;

/// How long nobody calls before the first call after silence.
const SILENCE: Duration = Duration::from_mins(1);

/// How long the panel is left alone before its memory is read.
const SETTLING: Duration = Duration::from_secs(5);

/// One route beside its yardstick, round by round.
struct Pair {
    name: &'static str,
    bytes: usize,
    rounds: Vec<(Measured, Measured)>,
}

/// What does not depend on load.
struct Calm {
    starts: Vec<Duration>,
    memory_idle: Memory,
    memory_after: Memory,
    first_after_silence: Duration,
    next_after_silence: Duration,
    binary_bytes: u64,
}

/// Resident memory in bytes.
#[derive(Clone, Copy)]
struct Memory {
    all: u64,
    anonymous: u64,
}

/// `cargo xtask bench`
pub(crate) fn chore() -> Result<()> {
    interrupt::watch()?;
    machine::ensure(&[machine::CC])?;
    let binary = panel::binary(Profile::Release)?;
    let small = Bench::start(binary.clone(), SMALL)?.reads()?;
    let mut bench = Bench::start(binary, LARGE)?;
    let starts = bench.cold_starts()?;
    std::thread::sleep(SETTLING);
    let memory_idle = bench.memory()?;
    let pairs = bench.pairs()?;
    let memory_after = bench.memory()?;
    let (first_after_silence, next_after_silence) = bench.after_silence()?;
    let calm = Calm {
        starts,
        memory_idle,
        memory_after,
        first_after_silence,
        next_after_silence,
        binary_bytes: fs::metadata(&bench.binary)?.len(),
    };
    let text = page::write(&small, &pairs, &calm)?;
    fs::write(project::root().join("docs/performance.md"), &text)?;
    println!("{text}");
    Ok(())
}

struct Bench {
    binary: PathBuf,
    panel: Panel,
    key: String,
    world: World,
}

impl Bench {
    fn start(binary: PathBuf, world: World) -> Result<Bench> {
        let options = Options {
            binary: binary.clone(),
            engine: Engine::Process,
            environment: vec![("HATCHERY_RATE_LIMIT_PER_MINUTE".to_owned(), "0".to_owned())],
        };
        let mut panel = Panel::start(options)?;
        panel.user("bench", true)?;
        panel.stop()?;
        let seeded = panel.run_json(&[
            "bench-seed",
            "--servers",
            world.servers,
            "--of-one-user",
            world.of_one_user,
            "--activity",
            world.activity,
        ])?;
        let key = seeded["key"]
            .as_str()
            .context("bench-seed gave no key")?
            .to_owned();
        panel.start_again()?;
        Ok(Bench {
            binary,
            panel,
            key,
            world,
        })
    }

    fn client(&self) -> Client {
        self.panel.client(Some(&self.key))
    }

    fn cold_starts(&mut self) -> Result<Vec<Duration>> {
        (0..STARTS)
            .map(|_| {
                interrupt::check()?;
                self.panel.stop()?;
                self.panel.start_again()?;
                Ok(self.panel.started_in())
            })
            .collect()
    }

    /// The routes that programs ask again and again.
    fn reads(&self) -> Result<Vec<Pair>> {
        let list = self.client().get("/api/client")?.expect_json(200)?;
        let servers = list["data"].as_array().context("no list")?;
        ensure!(
            servers.len().to_string() == self.world.of_one_user,
            "the list shows {} servers",
            servers.len()
        );
        // The first server is the one with backups, schedules and a long log.
        let first = servers
            .iter()
            .find(|server| server["attributes"]["name"] == "Server 0");
        let id = first
            .and_then(|server| server["attributes"]["identifier"].as_str())
            .context("the first server is missing")?;
        let server = format!("/api/client/servers/{id}");
        let routes = [
            ("list", "/api/client".to_owned()),
            ("view", server.clone()),
            ("account", "/api/client/account".to_owned()),
            ("startup", format!("{server}/startup")),
            ("activity", format!("{server}/activity")),
            (
                "activity, newest first",
                format!("{server}/activity?sort=-timestamp"),
            ),
            ("backups", format!("{server}/backups")),
            ("schedules", format!("{server}/schedules")),
        ];

        let mut files = Vec::new();
        for (number, (_, path)) in routes.iter().enumerate() {
            let file = self.panel.scratch().join(format!("bare-{number}"));
            fs::write(&file, self.client().get(path)?.expect(200)?.body)?;
            files.push(file);
        }
        let bare = Bare::start(&self.binary, &files, self.panel.scratch())?;
        let process = self.panel.process().context("the panel does not run")?;
        let mut pairs = Vec::new();
        for (number, (name, path)) in routes.iter().enumerate() {
            let own = Load::get(self.panel.address(), path, Some(&self.key), process);
            let yardstick = Load::get(bare.address, &format!("/{number}"), None, bare.process());
            pairs.push(Pair {
                name,
                bytes: fs::read(&files[number])?.len(),
                rounds: rounds(name, &own, &yardstick)?,
            });
        }
        Ok(pairs)
    }

    /// The reads, and a command to a running game.
    fn pairs(&self) -> Result<Vec<Pair>> {
        let mut pairs = self.reads()?;
        let bare = Bare::start(&self.binary, &[], self.panel.scratch())?;
        let process = self.panel.process().context("the panel does not run")?;
        let (server, key) = self.running_game()?;
        let path = format!("/api/client/servers/{server}/command");
        let body = json!({ "command": "say cluck" }).to_string();
        let own = Load::post(self.panel.address(), &path, Some(&key), &body, process);
        let yardstick = Load::post(bare.address, "/empty", None, &body, bare.process());
        pairs.push(Pair {
            name: "command",
            bytes: 0,
            rounds: rounds("command", &own, &yardstick)?,
        });
        Ok(pairs)
    }

    /// A game that takes commands, and a key that may send them.
    fn running_game(&self) -> Result<(String, String)> {
        let port = free_port()?.to_string();
        let created = self.panel.run_json(&[
            "server", "create", "--name", "Bench", "--owner", "bench", "--port", &port, "--egg",
            "demo", "--start",
        ])?;
        let server = created["identifier"]
            .as_str()
            .context("no identifier")?
            .to_owned();
        let key = self.panel.run(&["api-key", "create", "--user", "bench"])?;
        let client = self.panel.client(Some(&key));
        let path = format!("/api/client/servers/{server}/resources");
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            interrupt::check()?;
            let state = client.get(&path)?.json()?["attributes"]["current_state"].clone();
            if state == "running" {
                return Ok((server, key));
            }
            ensure!(
                Instant::now() < deadline,
                "the game is {state} for a minute"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn after_silence(&self) -> Result<(Duration, Duration)> {
        let deadline = Instant::now() + SILENCE;
        while Instant::now() < deadline {
            interrupt::check()?;
            std::thread::sleep(Duration::from_millis(200));
        }
        let call = || -> Result<Duration> {
            let start = Instant::now();
            self.client().get("/api/client")?.expect(200)?;
            Ok(start.elapsed())
        };
        Ok((call()?, call()?))
    }

    fn memory(&self) -> Result<Memory> {
        let process = self.panel.process().context("the panel does not run")?;
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let kilobytes = |name: &str| {
            status
                .lines()
                .find_map(|line| {
                    line.strip_prefix(name)?
                        .trim()
                        .strip_suffix(" kB")?
                        .parse()
                        .ok()
                })
                .map(|kilobytes: u64| kilobytes * 1024)
                .with_context(|| format!("no {name} in the process's status"))
        };
        Ok(Memory {
            all: kilobytes("VmRSS:")?,
            anonymous: kilobytes("RssAnon:")?,
        })
    }
}

/// Measures a route and its yardstick in turns, so that both meet the same machine.
fn rounds(name: &str, own: &Load, yardstick: &Load) -> Result<Vec<(Measured, Measured)>> {
    eprintln!("measuring {name}");
    own.warm_up()?;
    yardstick.warm_up()?;
    (0..ROUNDS)
        .map(|_| {
            interrupt::check()?;
            Ok((own.run()?, yardstick.run()?))
        })
        .collect()
}

/// The yardstick: the same listener and HTTP stack, with nothing behind it.
struct Bare {
    address: SocketAddr,
    service: Service,
}

impl Bare {
    fn start(binary: &Path, files: &[PathBuf], folder: &Path) -> Result<Bare> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let listen = address.to_string();
        let data = folder.join("bare");
        let mut arguments = vec![OsStr::new("bench-bare"), OsStr::new("--data-dir")];
        arguments.extend([
            data.as_os_str(),
            OsStr::new("--listen"),
            OsStr::new(&listen),
        ]);
        arguments.extend(files.iter().map(|file| file.as_os_str()));
        let mut service = Service::start(
            "the yardstick",
            binary,
            &arguments,
            None,
            Signal::TERM,
            |command| {
                command.stdout(Stdio::null()).stderr(Stdio::null());
            },
        )?;
        let client = Client::new(address, None);
        service.wait_until(Duration::from_secs(20), || Ok(client.get("/0").is_ok()))?;
        Ok(Bare { address, service })
    }

    fn process(&self) -> u32 {
        self.service.id()
    }
}
