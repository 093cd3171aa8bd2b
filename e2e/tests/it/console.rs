//! The console of a server over its WebSocket, as a client of the reference opens it.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use hatchery_e2e::Client;
use serde_json::{Value, json};
use tungstenite::{Error, Message, WebSocket};

use crate::world::PATIENCE;

/// How often a waiting reader looks at its deadline.
const TICK: Duration = Duration::from_millis(200);

/// How many events are kept for searching and for the message of a failure.
const KEPT: usize = 2_000;

/// The daemon's events; anything else would end a strict client (client-quirks.md 17).
const KNOWN: [&str; 18] = [
    "auth success",
    "token expiring",
    "token expired",
    "jwt error",
    "daemon error",
    "status",
    "stats",
    "console output",
    "install output",
    "install started",
    "install completed",
    "daemon message",
    "backup completed",
    "backup restore completed",
    "transfer logs",
    "transfer status",
    "deleted",
    "throttled",
];

/// A signed-in console.
pub(crate) struct Console {
    socket: WebSocket<TcpStream>,
    /// Events that nobody asked for yet, oldest first.
    events: Vec<(String, String)>,
}

impl Console {
    /// Opens the socket that the panel names, and signs in.
    pub(crate) fn open(client: &Client, path: &str) -> Console {
        let credentials = client.get(path).unwrap().expect_json(200).unwrap();
        let text = |name: &str| credentials["data"][name].as_str().unwrap().to_owned();
        let url = text("socket");
        let address = url
            .strip_prefix("ws://")
            .unwrap()
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(TICK)).unwrap();
        let (socket, _) = tungstenite::client(url, stream).unwrap();
        let mut console = Console {
            socket,
            events: Vec::new(),
        };
        console.send("auth", &json!([text("token")]));
        console.event("auth success", "");
        console
    }

    /// Sends an event.
    pub(crate) fn send(&mut self, event: &str, arguments: &Value) {
        let text = json!({ "event": event, "args": arguments }).to_string();
        self.socket.send(Message::text(text)).unwrap();
    }

    /// Waits for a line that contains a text, and forgets the lines before it.
    pub(crate) fn line(&mut self, part: &str) -> String {
        self.event("console output", part)
    }

    /// Waits for a state, and forgets the states before it.
    pub(crate) fn status(&mut self, state: &str) {
        self.event("status", state);
    }

    /// Reads what comes within a moment, and looks for a line.
    pub(crate) fn try_line(&mut self, part: &str) -> Option<()> {
        while self.read() {
            let (name, argument) = self.events.pop()?;
            if name == "console output" && argument.contains(part) {
                return Some(());
            }
        }
        None
    }

    /// Waits for an event whose argument contains a text, and forgets those of its kind before it.
    pub(crate) fn event(&mut self, name: &str, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut searched = 0;
        loop {
            let found = self.events[searched..]
                .iter()
                .position(|(known, argument)| known == name && argument.contains(part));
            if let Some(index) = found {
                let (_, argument) = self.events.remove(searched + index);
                // Kinds of events overtake one another; within a kind they come in order.
                let mut place = 0;
                self.events.retain(|(known, _)| {
                    place += 1;
                    known != name || place > searched + index
                });
                return argument;
            }
            searched = self.events.len();
            assert!(
                Instant::now() < deadline,
                "waited {PATIENCE:?} for {name} {part:?}; there were {:#?}",
                &self.events[self.events.len().saturating_sub(40)..],
            );
            if self.read() && self.events.len() > KEPT {
                let forgotten = self.events.len() - KEPT;
                self.events.drain(..forgotten);
                searched = searched.saturating_sub(forgotten);
            }
        }
    }

    /// Asserts that no event of that name with that text is among those that came and were not
    /// asked for.
    pub(crate) fn never(&self, name: &str, part: &str) {
        let found = self
            .events
            .iter()
            .find(|(known, text)| known == name && text.contains(part));
        assert_eq!(found, None);
    }

    /// Reads one event; false when none came for a moment.
    fn read(&mut self) -> bool {
        let message = match self.socket.read() {
            Ok(Message::Text(text)) => text,
            // Pings and binary frames break published clients (client-quirks.md 16).
            Ok(other) => panic!("the server sent {other:?}"),
            Err(Error::Io(error))
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                return false;
            }
            Err(error) => panic!("the console broke: {error}; last were {:#?}", self.events),
        };
        let event: Value = serde_json::from_str(&message).unwrap();
        let name = event["event"].as_str().unwrap().to_owned();
        assert!(KNOWN.contains(&name.as_str()), "unknown event {event}");
        // client-quirks.md 18: strings only.
        let arguments = event
            .get("args")
            .map_or(&[][..], |args| args.as_array().unwrap());
        let argument = arguments
            .iter()
            .map(|argument| argument.as_str().unwrap())
            .collect();
        self.events.push((name, argument));
        true
    }
}
