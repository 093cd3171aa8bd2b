//! A server's files beneath a held directory descriptor.
//!
//! The server itself (a hostile program, as far as we know) changes these files while we work on
//! them. So nothing here checks a path and then uses it: a [`ServerDir`] holds a descriptor of the
//! server's folder, and the kernel resolves every [`RelPath`] beneath it in the same step that opens
//! the file (`openat2` with `RESOLVE_BENEATH`). A link as the last part of a path is never followed;
//! one further up works as long as it stays inside.
//!
//! Every call blocks; an asynchronous caller runs it on a thread for such work. This crate knows
//! neither HTTP nor permissions nor what the files are for.

mod account;
mod chmod;
mod copy;
mod create;
mod delete;
mod denylist;
mod dir;
mod entry;
mod error;
mod link;
mod list;
mod mime;
mod open;
mod owner;
mod path;
mod rename;
mod scratch;
mod tree;
mod usage;
mod walk;
mod write;

pub use account::DiskLimit;
pub use denylist::Denylist;
pub use dir::ServerDir;
pub use entry::{Entry, Kind};
pub use error::{FsError, Result};
pub use open::OpenFile;
pub use owner::Owner;
pub use path::{PathError, RelPath};
pub use tree::{Enter, Found};
pub use write::Writer;
