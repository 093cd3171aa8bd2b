//! How a game is asked to stop.

use std::fmt;

/// A signal that an egg may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// `SIGINT`, written `^C`.
    Interrupt,
    /// `SIGTERM`.
    Terminate,
    /// `SIGQUIT`.
    Quit,
    /// `SIGHUP`.
    Hangup,
    /// `SIGABRT`.
    Abort,
    /// `SIGKILL`: the game has no chance to save.
    Kill,
}

impl Signal {
    const ALL: [Self; 6] = [
        Self::Interrupt,
        Self::Terminate,
        Self::Quit,
        Self::Hangup,
        Self::Abort,
        Self::Kill,
    ];

    /// The signal's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Quit => "SIGQUIT",
            Self::Hangup => "SIGHUP",
            Self::Abort => "SIGABRT",
            Self::Kill => "SIGKILL",
        }
    }

    /// The value in a node's stop configuration (node-protocol.md §2.5), where the interrupt goes
    /// by the letter of its key.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Interrupt => "C",
            other => other.name(),
        }
    }
}

/// How a game is asked to stop. Displayed as eggs write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// By a line on its console.
    Command(String),
    /// By a signal to its process group.
    Signal(Signal),
}

impl Stop {
    /// Reads what eggs write: a console line, or a signal behind a caret. `None` in the second
    /// place of the pair means that the text was clear; otherwise it says what was assumed.
    pub fn parse(text: &str) -> (Self, Option<String>) {
        let text = text.trim();
        let Some(name) = text.strip_prefix('^') else {
            return (Self::Command(text.to_owned()), None);
        };
        // `^^C` came up because old daemons lost the interrupt and this forced a kill; what people
        // want is the interrupt (eggs.md §4.1).
        let name = name.trim_start_matches('^').trim().to_ascii_uppercase();
        let name = name.strip_prefix("SIG").unwrap_or(&name);
        let known = Signal::ALL
            .into_iter()
            .find(|signal| signal.name()[3..] == *name);
        match (name, known) {
            (_, Some(signal)) => (Self::Signal(signal), None),
            ("C", None) => (Self::Signal(Signal::Interrupt), None),
            _ => {
                let note =
                    format!("config.stop: `{text}` names no known signal, SIGINT is sent instead");
                (Self::Signal(Signal::Interrupt), Some(note))
            }
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(line) => f.write_str(line),
            Self::Signal(Signal::Interrupt) => f.write_str("^C"),
            Self::Signal(signal) => write!(f, "^{}", signal.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_it() {
        for text in ["^C", "^^C", "^c", " ^C ", "^SIGINT", "^sigint", "^INT"] {
            assert_eq!(
                Stop::parse(text),
                (Stop::Signal(Signal::Interrupt), None),
                "{text}"
            );
        }
        assert_eq!(
            Stop::parse("^SIGTERM"),
            (Stop::Signal(Signal::Terminate), None)
        );
        assert_eq!(Stop::parse("^SIGABRT"), (Stop::Signal(Signal::Abort), None));
        for text in ["stop", "/quit", "shutdown 15", "c_shutdown()", ""] {
            assert_eq!(Stop::parse(text), (Stop::Command(text.to_owned()), None));
        }
        let (stop, note) = Stop::parse("^X");
        assert_eq!(stop, Stop::Signal(Signal::Interrupt));
        assert!(note.is_some_and(|note| note.contains("`^X`")));
    }

    #[test]
    fn what_is_shown_reads_back() {
        for signal in Signal::ALL {
            let stop = Stop::Signal(signal);
            assert_eq!(Stop::parse(&stop.to_string()), (stop, None));
        }
    }
}
