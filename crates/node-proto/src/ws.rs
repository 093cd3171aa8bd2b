//! The frames of a server's WebSocket (node-protocol.md §4): names and shape, not behaviour.

use serde::{Deserialize, Deserializer, Serialize};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {$(
        $(#[$doc])*
        pub const $name: &str = $text;
    )*};
}

/// Events that a client sends. Every other name is ignored.
pub mod inbound {
    events! {
        /// Shows a token.
        AUTH = "auth";
        /// Asks for a power action.
        SET_STATE = "set state";
        /// Types a line into the console.
        SEND_COMMAND = "send command";
        /// Asks for the last lines of the console.
        SEND_LOGS = "send logs";
        /// Asks for the usage.
        SEND_STATS = "send stats";
    }
}

/// Events that a node sends. Clients fail on names outside this list (client-quirks.md 17).
pub mod outbound {
    events! {
        /// The token is accepted.
        AUTH_SUCCESS = "auth success";
        /// The token ends within a minute.
        TOKEN_EXPIRING = "token expiring";
        /// The token has ended.
        TOKEN_EXPIRED = "token expired";
        /// The token is not accepted.
        JWT_ERROR = "jwt error";
        /// Something went wrong.
        DAEMON_ERROR = "daemon error";
        /// Too many messages of one kind came; they are dropped.
        THROTTLED = "throttled";
        /// The state of the process.
        STATUS = "status";
        /// What the server uses.
        STATS = "stats";
        /// A line of the console.
        CONSOLE_OUTPUT = "console output";
        /// A line of an installation.
        INSTALL_OUTPUT = "install output";
        /// An installation begins.
        INSTALL_STARTED = "install started";
        /// An installation has ended.
        INSTALL_COMPLETED = "install completed";
        /// A word from the daemon.
        DAEMON_MESSAGE = "daemon message";
        /// A backup has ended.
        BACKUP_COMPLETED = "backup completed";
        /// Putting back a backup has ended.
        BACKUP_RESTORE_COMPLETED = "backup restore completed";
        /// A line of a transfer.
        TRANSFER_LOGS = "transfer logs";
        /// How far a transfer is.
        TRANSFER_STATUS = "transfer status";
        /// The server is being deleted.
        DELETED = "deleted";
    }
}

/// A message from a client. `args` may be missing, null or hold null (client-quirks.md 20).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Inbound {
    /// Its name.
    pub event: String,
    /// Its arguments, one after the other without a separator.
    #[serde(default, deserialize_with = "joined")]
    pub args: String,
}

impl Inbound {
    /// Reads a frame; `None` when it is not one, which is ignored.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

fn joined<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let args: Option<Vec<Option<String>>> = Deserialize::deserialize(from)?;
    Ok(args.unwrap_or_default().into_iter().flatten().collect())
}

/// The text of a frame to a client. `args` is always a list of strings, and absent when empty.
pub fn frame(event: &str, args: &[&str]) -> String {
    #[derive(Serialize)]
    struct Frame<'a> {
        event: &'a str,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        args: &'a [&'a str],
    }
    // Strings always serialise, so there is no error to report.
    serde_json::to_string(&Frame { event, args }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_read_leniently() {
        let read = |text| Inbound::parse(text).map(|message| (message.event, message.args));
        let some = |event: &str, args: &str| Some((event.to_owned(), args.to_owned()));
        assert_eq!(
            read(r#"{"event":"send logs","args":[null]}"#),
            some("send logs", "")
        );
        assert_eq!(
            read(r#"{"event":"send logs","args":null}"#),
            some("send logs", "")
        );
        assert_eq!(read(r#"{"event":"send logs"}"#), some("send logs", ""));
        assert_eq!(
            read(r#"{"event":"send command","args":["a","b"],"x":1}"#),
            some("send command", "ab")
        );
        for broken in [
            "",
            "[]",
            "{",
            r#"{"args":[]}"#,
            r#"{"event":"a","args":[1]}"#,
        ] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }

    #[test]
    fn frames_hold_strings_only() {
        assert_eq!(frame("auth success", &[]), r#"{"event":"auth success"}"#);
        assert_eq!(
            frame("status", &["running"]),
            r#"{"event":"status","args":["running"]}"#
        );
        assert_eq!(
            frame("x", &["\u{1b}[1m\"\r\n"]),
            r#"{"event":"x","args":["\u001b[1m\"\r\n"]}"#
        );
    }
}
