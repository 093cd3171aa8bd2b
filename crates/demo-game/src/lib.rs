//! The hen house: a small console game inside the product, so that a first server needs no
//! download.
//!
//! It behaves as dedicated game servers do: it prints a banner and a line that says that it is
//! ready, answers commands on its standard input, serves players on one TCP and UDP port, and ends
//! on `stop`, `SIGINT` or `SIGTERM`. It can also misbehave on request. It knows nothing of the
//! panel.

mod command;
mod house;
mod network;

use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use command::{Command, Outcome};
use house::House;

/// Part of the line that the game prints when players can join. Eggs wait for it.
pub const READY: &str = "The hen house is open";

/// How many console lines may wait for their answer.
const QUEUE: usize = 64;
/// The longest console line in bytes; what is beyond it counts as the next line.
const MAX_LINE: u64 = 1024;

const USAGE: &str = "usage: hatchery demo-game --port PORT";

const BANNER: &str = r"
     __//      _
    /.__.\    (o)    HATCHERY'S HEN HOUSE
    \ \/ /   /\_/\   a very small game
 '__/    \
  \-      )  `help` lists the commands
   \_____/
_____|_|____
     ' '";

/// What the main loop waits for.
enum Event {
    Line(String),
    Signal,
}

/// Runs the game until it is told to end. `arguments` are those after `demo-game`.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Some(port) = port(arguments) else {
        // When even standard error is gone, the exit code must do.
        let _ = writeln!(io::stderr(), "{USAGE}");
        return ExitCode::FAILURE;
    };
    let house = Arc::new(House::default());
    house.keep_log();
    match open(&house, SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))) {
        Ok(code) => code,
        Err(message) => {
            house.say(&message);
            ExitCode::FAILURE
        }
    }
}

fn port(arguments: impl IntoIterator<Item = OsString>) -> Option<u16> {
    let mut arguments = arguments.into_iter();
    match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(flag), Some(port), None) if flag == "--port" => port.to_str()?.parse().ok(),
        _ => None,
    }
}

fn open(house: &Arc<House>, address: SocketAddr) -> Result<ExitCode, String> {
    let (events, inbox) = sync_channel(QUEUE);
    // Signals are caught before anything else, so that none can be missed.
    let signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| format!("cannot listen to signals: {error}"))?;
    spawn("signals", {
        let events = events.clone();
        move || forward_signals(signals, &events)
    })?;
    house.say(BANNER.trim_start_matches('\n'));
    house.say(&format!(
        "Message of the day: {}",
        house::message_of_the_day()
    ));
    let address = network::listen(address, house).map_err(|error| {
        format!(
            "cannot open port {}: {error}. Is another server using it?",
            address.port()
        )
    })?;
    house.say(&format!(
        "{READY} on port {} with {} hens. Cluck!",
        address.port(),
        house.hens()
    ));
    spawn("console", move || {
        forward_lines(io::stdin().lock(), &events);
    })?;
    Ok(main_loop(house, &inbox))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    match thread::Builder::new().name(name.to_owned()).spawn(work) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("cannot start a thread: {error}")),
    }
}

fn main_loop(house: &House, inbox: &Receiver<Event>) -> ExitCode {
    let mut deaf = false;
    // The channel cannot close: the thread that waits for signals never ends.
    for event in inbox {
        let outcome = match event {
            Event::Signal => Outcome::Stop,
            Event::Line(line) => match Command::parse(&line) {
                Ok(None) => Outcome::GoOn,
                Ok(Some(command)) => command.run(house),
                Err(unknown) => {
                    house.say(&format!(
                        "Unknown command \"{unknown}\". Type \"help\" for the list."
                    ));
                    Outcome::GoOn
                }
            },
        };
        match outcome {
            Outcome::GoOn => {}
            Outcome::Deaf => deaf = true,
            Outcome::Stop if deaf => house.say("The hens heard something, but they do not care."),
            Outcome::Stop => {
                house.say("Closing the hen house. Good night!");
                return ExitCode::SUCCESS;
            }
            Outcome::Crash => return ExitCode::from(3),
        }
    }
    ExitCode::SUCCESS
}

fn forward_signals(mut signals: Signals, events: &SyncSender<Event>) {
    for _ in &mut signals {
        if events.send(Event::Signal).is_err() {
            return;
        }
    }
}

fn forward_lines(mut input: impl BufRead, events: &SyncSender<Event>) {
    let mut line = Vec::new();
    // An end of the input is not an order to stop: some panels give a game no input at all.
    while let Ok(1..) = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        line.clear();
        if events.send(Event::Line(text)).is_err() {
            return;
        }
    }
}
