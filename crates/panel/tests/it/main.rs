//! The binary as its users see it: started, asked over HTTP and on the command line, and killed.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]

mod commands;
mod demo_game;
mod first_run;
mod harness;
mod import;
mod serving;
mod survival;
