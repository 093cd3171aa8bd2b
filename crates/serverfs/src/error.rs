//! What can go wrong, in words that do not name the machine's paths.

use rustix::io::Errno;

use crate::path::PathError;

/// The result of an operation on a server's files.
pub type Result<T> = std::result::Result<T, FsError>;

/// Why an operation on a server's files failed.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// There is nothing of that name.
    #[error("no such file or directory")]
    NotFound,
    /// A link on the way leads out of the server's folder.
    #[error("the path resolves to a location outside the server root")]
    Escape,
    /// A directory where a file is due.
    #[error("is a directory")]
    IsDirectory,
    /// A part of the path that has to be a directory is something else.
    #[error("not a directory")]
    NotDirectory,
    /// A link, pipe, socket or device where a regular file is due.
    #[error("not a regular file")]
    NotRegular,
    /// The target exists already.
    #[error("the destination exists already")]
    Exists,
    /// The server's disk limit or the disk itself would be exceeded.
    #[error("not enough disk space")]
    NoSpace,
    /// The path cannot be one.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The server's folder itself can be neither moved, replaced nor deleted.
    #[error("the server's folder itself cannot be changed")]
    Root,
    /// A directory cannot move into itself.
    #[error("a directory cannot be moved into itself")]
    IntoItself,
    /// The files changed so fast beneath the operation that it gave up. Trying again may help.
    #[error("the files changed during the operation; try again")]
    Changed,
    /// A file is larger than the caller is willing to read.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The most that would have been read, in bytes.
        limit: u64,
    },
    /// A directory holds more than is ever listed.
    #[error("the directory holds more than {limit} entries")]
    TooMany {
        /// The most that would have been listed.
        limit: usize,
    },
    /// Anything else that the system says.
    #[error("the file system answered: {0}")]
    Io(std::io::Error),
}

impl From<Errno> for FsError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT => Self::NotFound,
            Errno::ISDIR => Self::IsDirectory,
            Errno::NOTDIR => Self::NotDirectory,
            // `O_NOFOLLOW` met a link; `ENXIO` is a pipe without its other end, or a socket.
            Errno::LOOP | Errno::NXIO => Self::NotRegular,
            Errno::EXIST | Errno::NOTEMPTY => Self::Exists,
            Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Self::NoSpace,
            Errno::NAMETOOLONG => Self::Path(PathError::TooLong),
            other => Self::Io(other.into()),
        }
    }
}

impl From<std::io::Error> for FsError {
    /// An error of ours that travelled through somebody else's reader or writer comes back as it
    /// was.
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(error) => Errno::from_io_error(&error).map_or(Self::Io(error), Self::from),
        }
    }
}

impl From<FsError> for std::io::Error {
    fn from(error: FsError) -> Self {
        match error {
            FsError::Io(error) => error,
            other => Self::other(other),
        }
    }
}
