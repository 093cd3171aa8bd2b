//! Archives of a server's files.
//!
//! Packing reads and unpacking writes through `hatchery-serverfs` alone: an archive's names are
//! parsed to paths beneath the server's folder, and its content counts against the disk limit while
//! it is written. Everything streams; memory does not grow with the size of an archive.
//!
//! Every call blocks; an asynchronous caller runs it on a thread for such work and holds the
//! [`Progress`] to watch or end it. This crate knows neither HTTP nor what an archive is for.

mod error;
mod extract;
mod ignored;
mod pack;
mod progress;
mod reader;
mod seven_zip;
mod tarball;
mod unpack;
mod zip_file;

pub use error::{ArchiveError, Result};
pub use extract::extract;
pub use ignored::Ignored;
pub use pack::{Selection, pack_tar_gz};
pub use progress::Progress;
pub use tarball::verify_tar_gz;
pub use unpack::{Origin, Unpack, unpack_tar_gz};
