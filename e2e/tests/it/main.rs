//! The real binary with real games, published clients and faults, from outside.
//!
//! `cargo xtask e2e` prepares what these tests need and runs them; `cargo xtask test` includes it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]
#![expect(clippy::print_stdout, reason = "how a test says that it is skipped")]
#![expect(
    clippy::disallowed_methods,
    reason = "starts programs and looks at folders as a user of the machine does"
)]

mod backups;
mod commands;
mod console;
mod coop;
mod dactyl;
mod faults;
mod image;
mod mail;
mod minecraft;
mod openarena;
mod poller;
mod pterojs;
mod schedules;
mod schemathesis;
mod subusers;
mod world;
