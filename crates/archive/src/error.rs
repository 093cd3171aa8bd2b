//! What can go wrong with an archive.

use std::io;

use hatchery_serverfs::{FsError, PathError};

/// The result of packing or unpacking.
pub type Result<T> = std::result::Result<T, ArchiveError>;

/// Why an archive could not be packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The server's files refuse.
    #[error(transparent)]
    Files(FsError),
    /// Nobody here reads such a file.
    #[error("this is no archive of a known format")]
    UnknownFormat,
    /// The archive is cut off, damaged or encrypted, or its source cannot be read.
    #[error("the archive cannot be read: {0}")]
    Unreadable(io::Error),
    /// The other side of the archive does not take it.
    #[error("the archive cannot be written: {0}")]
    Unwritable(io::Error),
    /// It holds more than a foreign archive may.
    #[error("the archive holds more than {0} entries")]
    TooManyEntries(u64),
    /// It grows beyond all proportion: a decompression bomb.
    #[error("the archive unpacks to more than {0} times its own size")]
    TooDense(u64),
    /// Whoever asked for it does not want it any more.
    #[error("cancelled")]
    Cancelled,
}

impl From<FsError> for ArchiveError {
    fn from(error: FsError) -> Self {
        match error {
            // An error of ours that travelled through a visit of the files.
            FsError::Io(error) => match error.downcast::<Self>() {
                Ok(ours) => ours,
                Err(error) => Self::Files(FsError::Io(error)),
            },
            other => Self::Files(other),
        }
    }
}

impl From<PathError> for ArchiveError {
    fn from(error: PathError) -> Self {
        Self::Files(error.into())
    }
}

impl From<ArchiveError> for io::Error {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Files(error) => error.into(),
            other => Self::other(other),
        }
    }
}

impl ArchiveError {
    /// Takes an error of ours out of what carried it through somebody else's code, and calls any
    /// other by `name`.
    pub(crate) fn carried(error: io::Error, name: fn(io::Error) -> Self) -> Self {
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(error) => match error.downcast::<FsError>() {
                Ok(files) => files.into(),
                Err(error) => name(error),
            },
        }
    }
}
