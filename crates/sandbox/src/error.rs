//! What went wrong, in words that say what was being done.

use std::io;

/// The sandbox could not be built.
#[derive(Debug, thiserror::Error)]
#[error("{action}: {source}")]
pub struct Error {
    /// What was being done, such as `mounting /proc`.
    pub action: String,
    /// What the kernel said.
    pub source: io::Error,
}

/// Says what was being done when a call failed.
pub(crate) trait Doing<T> {
    /// Names the action; only evaluated on failure.
    fn doing<S: Into<String>>(self, action: impl FnOnce() -> S) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing<S: Into<String>>(self, action: impl FnOnce() -> S) -> Result<T, Error> {
        self.map_err(|source| Error {
            action: action().into(),
            source: source.into(),
        })
    }
}
