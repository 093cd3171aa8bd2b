//! Egg files in and out, and the eggs that ship with the product.
//!
//! An egg says how one game is installed, started, recognised as ready, configured and stopped.
//! Five versions of its file format are about (`spec/eggs.md`); [`import()`] reads them all, in JSON
//! and YAML, into one neutral [`Egg`], and [`Egg::to_ptdl_v2`] and [`Egg::to_plcn_v3`] write it.
//!
//! An egg file is a stranger's text. It is measured before it is parsed, everything in it stays
//! text, and what is not understood becomes a warning instead of a guess. This crate does no I/O.

mod builtin;
mod config;
mod egg;
mod export;
mod import;
mod lenient;
mod stop;

pub use builtin::{Builtin, builtin};
pub use config::{ConfigFile, Find, Startup};
pub use egg::{Egg, Install, Labelled, Variable};
pub use import::{Import, ImportError, MAX_FILE, import};
pub use stop::{Signal, Stop};
