//! Why a row cannot be imported.

/// The reason, in words for the report. It names columns and numbers, never values, which may be
/// secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(pub(crate) String);

impl Broken {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// A column that does not hold what it should.
    pub(crate) fn column(name: &str, expected: &str) -> Self {
        Self(format!("{name} is not {expected}"))
    }
}
