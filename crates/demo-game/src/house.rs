//! The state of the game: hens, visitors, and the one console that everything is printed on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

/// How many players can be here at once.
pub(crate) const MAX_VISITORS: usize = 16;
/// How many hens have a place on the perch.
const MAX_HENS: usize = 100;
/// The longest name in characters.
const MAX_NAME: usize = 24;
/// The file whose first line is the message of the day.
const MESSAGE_FILE: &str = "motd.txt";
const MESSAGE: &str = "Fresh eggs daily";
/// How much of that file is looked at.
const MAX_MESSAGE: u64 = 512;
const LOG_FOLDER: &str = "logs";
const LOG_FILE: &str = "latest.log";
/// How long the log file may grow before it begins anew, in bytes.
const MAX_LOG: u64 = 1024 * 1024;

#[expect(
    clippy::disallowed_types,
    reason = "the game uses nothing but the standard library"
)]
type Mutex<T> = std::sync::Mutex<T>;

/// The hen house.
pub(crate) struct House {
    opened: Instant,
    log: Mutex<Option<Log>>,
    state: Mutex<State>,
}

struct State {
    hens: Vec<String>,
    visitors: BTreeMap<String, TcpStream>,
    /// What the hens ate. It is kept so that the memory stays in use.
    meals: Vec<Vec<u8>>,
}

impl Default for House {
    fn default() -> Self {
        let hens = ["Agatha", "Bertha", "Clara"].map(str::to_owned).to_vec();
        let state = State {
            hens,
            visitors: BTreeMap::new(),
            meals: Vec::new(),
        };
        Self {
            opened: Instant::now(),
            log: Mutex::new(None),
            state: Mutex::new(state),
        }
    }
}

/// The file that keeps what the console said, begun anew at each start and whenever it is full.
struct Log {
    file: File,
    length: u64,
}

impl Log {
    #[expect(
        clippy::disallowed_methods,
        reason = "a game writes to its own folder, as any game does"
    )]
    fn create() -> io::Result<Self> {
        std::fs::create_dir_all(LOG_FOLDER)?;
        let file = File::create(Path::new(LOG_FOLDER).join(LOG_FILE))?;
        Ok(Self { file, length: 0 })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.length > MAX_LOG {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.length = 0;
        }
        self.length += bytes.len() as u64;
        self.file.write_all(bytes)
    }
}

impl House {
    /// Keeps a log from now on, where the folder can be written to.
    pub(crate) fn keep_log(&self) {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = Log::create().ok();
    }

    /// How many hens there are.
    pub(crate) fn hens(&self) -> usize {
        self.state().hens.len()
    }

    /// How many players are here.
    pub(crate) fn visitors(&self) -> usize {
        self.state().visitors.len()
    }

    /// Prints a line.
    pub(crate) fn say(&self, line: &str) {
        self.print(format!("{line}\n").as_bytes());
    }

    /// Prints bytes as they are, on the console and to the log file.
    pub(crate) fn print(&self, bytes: &[u8]) {
        // A console that went away or a full disk must not end the game.
        let mut console = io::stdout().lock();
        let _ = console.write_all(bytes).and_then(|()| console.flush());
        if let Some(log) = self
            .log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            let _ = log.append(bytes);
        }
    }

    /// Prints so many characters without a line break in between.
    pub(crate) fn stretch(&self, length: u32) {
        const PIECE: usize = 4096;
        let mut left = length as usize;
        while left > 0 {
            self.print(&[b'B'; PIECE][..left.min(PIECE)]);
            left = left.saturating_sub(PIECE);
        }
        self.say("AWK!");
    }

    /// Prints how things are.
    pub(crate) fn status(&self) {
        let (hens, visitors) = (self.hens(), self.visitors());
        let seconds = self.opened.elapsed().as_secs();
        self.say(&format!(
            "Open for {seconds} seconds with {hens} hens and {visitors} players. All is well."
        ));
    }

    /// Prints who is here.
    pub(crate) fn list(&self) {
        let state = self.state();
        let visitors: Vec<_> = state.visitors.keys().map(String::as_str).collect();
        self.say(&format!(
            "{} of {MAX_VISITORS} players online: {}",
            visitors.len(),
            visitors.join(", ")
        ));
        self.say(&format!(
            "{} hens on the perch: {}",
            state.hens.len(),
            state.hens.join(", ")
        ));
    }

    /// One more hen; without a name she gets a number.
    pub(crate) fn hatch(&self, name: &str) {
        let mut state = self.state();
        if state.hens.len() == MAX_HENS {
            return self.say("The perch is full.");
        }
        let name = if name.is_empty() {
            format!("Hen {}", state.hens.len() + 1)
        } else {
            short(name)
        };
        self.say(&format!("Crack! {name} hatched."));
        state.hens.push(name);
    }

    /// Takes so much memory and keeps it.
    pub(crate) fn eat(&self, mebibytes: u32) {
        for _ in 0..mebibytes {
            // Not zero, or the kernel would hand out the same page of zeroes again and again.
            self.state().meals.push(vec![b'.'; 1024 * 1024]);
        }
        self.say(&format!("The hens ate {mebibytes} MiB."));
    }

    /// Somebody says something, to the console and to every player.
    pub(crate) fn chat(&self, name: &str, text: &str) {
        let line = format!("<{name}> {text}");
        self.say(&line);
        for visitor in self.state().visitors.values_mut() {
            if writeln!(visitor, "{line}").is_err() {
                // The thread that reads from this player notices, and shows him out.
                let _ = visitor.shutdown(Shutdown::Both);
            }
        }
    }

    /// A player comes in under a name; the reason when he cannot.
    pub(crate) fn join(&self, name: &str, connection: TcpStream) -> Result<String, &'static str> {
        let name = short(name);
        let mut state = self.state();
        if name.is_empty() {
            return Err("say who you are: join NAME");
        }
        if state.visitors.len() >= MAX_VISITORS {
            return Err("the house is full");
        }
        if state.visitors.contains_key(&name) {
            return Err("somebody of that name is here already");
        }
        state.visitors.insert(name.clone(), connection);
        drop(state);
        self.say(&format!("{name} joined the hen house"));
        Ok(name)
    }

    /// A player goes.
    pub(crate) fn leave(&self, name: &str) {
        if self.state().visitors.remove(name).is_some() {
            self.say(&format!("{name} left the hen house"));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name without what would garble a console, and not too long.
fn short(name: &str) -> String {
    name.trim()
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_NAME)
        .collect()
}

/// The first line of the message file, which is written when it is missing, so that there is
/// something to edit.
#[expect(
    clippy::disallowed_methods,
    reason = "a game reads its own folder, as any game does"
)]
pub(crate) fn message_of_the_day() -> String {
    let Ok(file) = File::open(MESSAGE_FILE) else {
        // A folder that cannot be written to is no reason to stay closed.
        let _ = std::fs::write(MESSAGE_FILE, format!("{MESSAGE}\n"));
        return MESSAGE.to_owned();
    };
    let mut bytes = Vec::new();
    let _ = file.take(MAX_MESSAGE).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}
