//! What a server prints: cut into lines, kept for a while, held back when it is too much
//! (node-protocol.md §4.7). Knows nothing of viewers.

mod lines;
mod ready;
mod ring;
mod throttle;

pub(crate) use lines::Lines;
pub(crate) use ready::ReadyLine;
pub(crate) use ring::{MAX_LINES, Ring};
pub(crate) use throttle::{Throttle, Verdict};

/// A line in the daemon's own voice: yellow and bold, as people know it.
pub(crate) fn daemon_line(app_name: &str, text: &str) -> String {
    format!("\u{1b}[33m\u{1b}[1m[{app_name} Daemon]:\u{1b}[39m {text}\u{1b}[0m")
}
