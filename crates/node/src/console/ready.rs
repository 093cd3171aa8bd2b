//! Finds the line by which a server says that it is ready (node-protocol.md §5.4).

use std::sync::LazyLock;

use hatchery_node_proto::StartupConfiguration;
use regex::{Regex, RegexBuilder};

/// The most memory that one expression of an egg may compile to, in bytes.
const MAX_REGEX: usize = 1024 * 1024;

/// Escape sequences, as the specification spells them.
static ESCAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"[\x1B\u{9B}][\[\]()#;?]*(?:",
        r"(?:(?:[A-Za-z0-9]*(?:;[A-Za-z0-9]*)*)?\x07)|",
        r"(?:(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-PRZcf-ntqry=><~]))",
    ))
    .ok()
});

/// What to look for in the lines of a starting server.
#[derive(Debug, Default)]
pub(crate) struct ReadyLine {
    matchers: Vec<Matcher>,
    strip_ansi: bool,
}

#[derive(Debug)]
enum Matcher {
    Text(String),
    Pattern(Regex),
}

impl ReadyLine {
    /// Reads an egg's configuration. An expression that does not compile is looked for as text,
    /// prefix included.
    pub(crate) fn new(startup: &StartupConfiguration) -> Self {
        let matchers = startup
            .done
            .iter()
            .filter(|done| !done.is_empty())
            .map(|done| {
                let pattern = done
                    .strip_prefix("regex:")
                    .filter(|pattern| !pattern.is_empty());
                let compiled =
                    pattern.and_then(|p| RegexBuilder::new(p).size_limit(MAX_REGEX).build().ok());
                compiled.map_or_else(|| Matcher::Text(done.clone()), Matcher::Pattern)
            });
        Self {
            matchers: matchers.collect(),
            strip_ansi: startup.strip_ansi,
        }
    }

    /// Whether there is nothing to look for, so that the server is ready at once.
    pub(crate) fn is_empty(&self) -> bool {
        self.matchers.is_empty()
    }

    /// Whether this is the line.
    pub(crate) fn is(&self, line: &str) -> bool {
        let stripped = self
            .strip_ansi
            .then(|| {
                ESCAPES
                    .as_ref()
                    .map(|escapes| escapes.replace_all(line, ""))
            })
            .flatten();
        let line = stripped.as_deref().unwrap_or(line);
        self.matchers.iter().any(|matcher| match matcher {
            Matcher::Text(text) => line.contains(text.as_str()),
            Matcher::Pattern(pattern) => pattern.is_match(line),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(done: &[&str], strip_ansi: bool, line: &str) -> bool {
        let done = done.iter().map(ToString::to_string).collect();
        ReadyLine::new(&StartupConfiguration {
            done,
            user_interaction: Vec::new(),
            strip_ansi,
        })
        .is(line)
    }

    #[test]
    fn texts_and_expressions_are_found() {
        assert!(found(
            &["nothing", ")! For help, type "],
            false,
            "Done (1.2s)! For help, type \"help\""
        ));
        assert!(!found(&["Done"], false, "done"));
        assert!(found(
            &["regex:^Listening on .*:\\d+$"],
            false,
            "Listening on 0.0.0.0:25565"
        ));
        assert!(!found(&["regex:^Listening"], false, "Now Listening"));
        assert!(found(
            &["regex:(broken"],
            false,
            "it says regex:(broken here"
        ));
        assert!(found(&["regex:"], false, "the word regex: itself"));
    }

    #[test]
    fn escape_sequences_are_removed_when_asked() {
        let line = "\u{1b}[32mServer \u{1b}[1;31mstarted\u{1b}[0m";
        assert!(found(&["Server started"], true, line));
        assert!(!found(&["Server started"], false, line));
    }

    #[test]
    fn nothing_to_look_for_is_known() {
        let startup = StartupConfiguration {
            done: vec![String::new()],
            ..StartupConfiguration::default()
        };
        assert!(ReadyLine::new(&startup).is_empty());
        assert!(!ReadyLine::new(&startup).is("anything"));
    }
}
