//! What commands print: an answer on standard output, a failure on standard error.

use std::fmt::Display;
use std::io::{self, Write};

use serde_json::{Value, json};

/// How a command answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

/// Why a command failed: what is wrong, and how to mend it.
#[derive(Debug)]
pub(crate) struct Failure(Vec<String>);

impl Output {
    /// In JSON, or for people.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints the answer in the form that was asked for.
    pub(crate) fn answer(self, human: impl Display, json: &Value) -> Result<(), Failure> {
        if self.json { print(json) } else { print(human) }
    }

    /// Prints why the command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        let mut errors = io::stderr();
        // Without standard error the exit code must do.
        if self.json {
            let _ = writeln!(errors, "{}", json!({ "errors": failure.0 }));
        } else {
            for line in &failure.0 {
                let _ = writeln!(errors, "hatchery: {line}");
            }
        }
    }
}

impl Failure {
    /// One sentence about what is wrong and how to mend it.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(vec![sentence.into()])
    }

    /// Everything that is wrong with the settings.
    pub(crate) fn settings(problems: Vec<hatchery_config::Problem>) -> Self {
        Self(problems.iter().map(ToString::to_string).collect())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}

/// Prints a text on standard output as it is.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{text}") {
        // Whoever read it has seen enough, as in `hatchery egg list | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => {
            written.map_err(|error| Failure::new(format!("cannot write the answer: {error}")))
        }
    }
}
