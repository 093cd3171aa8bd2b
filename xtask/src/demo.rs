//! `cargo xtask demo`: a panel with a running game, and lines to paste.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hatchery_e2e::{Engine, Options, Panel, free_port};

use crate::panel::{self, Profile};
use crate::report::Counts;
use crate::{interrupt, machine, program};

/// The administrator of the demo. The folder is thrown away, and so are they.
const USER: &str = "demo";

/// How long the game may take to be up.
const GAME_PATIENCE: Duration = Duration::from_mins(1);

/// The file of the demo game that has all that its console shows, and what it says when it is up.
const LOG: &str = "/logs/latest.log";
const READY: &str = "The hen house is open";

/// A line to paste, and what shows that it worked.
struct Line {
    about: &'static str,
    command: String,
    answer: &'static str,
}

/// `cargo xtask demo [--release] [--check]`
pub(crate) fn chore(options: &[&str]) -> Result<()> {
    let mut profile = Profile::Dev;
    let mut check_only = false;
    for option in options {
        match *option {
            "--release" => profile = Profile::Release,
            "--check" => check_only = true,
            _ => bail!("demo knows --release and --check, not {option}"),
        }
    }
    interrupt::watch()?;
    machine::ensure(&[machine::CC, machine::CURL])?;
    let binary = panel::binary(profile)?;
    if check_only {
        let counts = check(&binary)?;
        ensure!(counts.failed.is_empty(), "{}", counts.failed.join("\n"));
        println!(
            "all {} lines of the demo answer as they should",
            counts.passed
        );
        return Ok(());
    }
    let demo = Demo::start(binary)?;
    demo.introduce();
    interrupt::wait();
    eprintln!("\nStopping; the demo's folder goes with it.");
    Ok(())
}

/// Starts a demo, pastes its lines as a person would, and looks at what they answer.
pub(crate) fn check(binary: &Path) -> Result<Counts> {
    let demo = Demo::start(binary.to_path_buf())?;
    let mut counts = Counts::default();
    for line in demo.lines() {
        let answer = program::output(Command::new("bash").args(["-c", &line.command]));
        match answer {
            Ok(text) if text.contains(line.answer) => counts.passed += 1,
            Ok(text) => {
                counts
                    .failed
                    .push(format!("{}: no {:?} in {text}", line.about, line.answer));
            }
            Err(error) => counts.failed.push(format!("{}: {error:#}", line.about)),
        }
    }
    Ok(counts)
}

struct Demo {
    panel: Panel,
    key: String,
    server: String,
}

impl Demo {
    fn start(binary: PathBuf) -> Result<Demo> {
        let options = Options {
            binary,
            engine: Engine::Process,
            environment: Vec::new(),
        };
        let mut panel = Panel::start(options)?;
        let key = panel.user(USER, true)?;
        // Not the usual port, which a game of this machine may have.
        let port = free_port()?.to_string();
        let created = panel.run_json(&[
            "server",
            "create",
            "--name",
            "Hen house",
            "--owner",
            USER,
            "--egg",
            "demo",
            "--port",
            &port,
            "--start",
        ])?;
        let server = created["identifier"]
            .as_str()
            .context("a server without identifier")?;
        let demo = Demo {
            server: server.to_owned(),
            panel,
            key,
        };
        demo.wait_until_running()?;
        Ok(demo)
    }

    /// The game's own log says it; what the panel says of its state may be 20 s old.
    fn wait_until_running(&self) -> Result<()> {
        let client = self.panel.client(Some(&self.key));
        let path = format!(
            "/api/client/servers/{}/files/contents?file={LOG}",
            self.server
        );
        let deadline = Instant::now() + GAME_PATIENCE;
        loop {
            interrupt::check()?;
            let answer = client.get(&path)?;
            if answer.text().contains(READY) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "the game is not up: {}\n{}",
                    answer.text(),
                    self.panel.log_tail()
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn lines(&self) -> [Line; 3] {
        let url = format!("{}/api/client", self.panel.url());
        let curl = format!("curl -sS -H 'Authorization: Bearer {}'", self.key);
        let server = format!("{url}/servers/{}", self.server);
        [
            Line {
                about: "your servers",
                command: format!("{curl} {url}"),
                answer: "\"Hen house\"",
            },
            Line {
                about: "what the server uses",
                command: format!("{curl} {server}/resources"),
                answer: "\"current_state\":\"running\"",
            },
            Line {
                about: "a command, then the console with its answer",
                command: format!(
                    "{curl} {server}/command -d 'command=say hello' && sleep 1 && \
                     {curl} '{server}/files/contents?file={LOG}'"
                ),
                answer: "hello",
            },
        ]
    }

    fn introduce(&self) {
        println!("\nHatchery runs.\n");
        println!("  page      {}", self.panel.url());
        println!("  sign in   {USER} / {}", Panel::PASSWORD);
        println!("  key       {}\n", self.key);
        println!("Paste any of these into another terminal:\n");
        for line in self.lines() {
            println!("  # {}\n  {}\n", line.about, line.command);
        }
        println!("Ctrl-C stops the demo and removes its folder.");
    }
}
