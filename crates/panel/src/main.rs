//! The Hatchery binary: command line, composition, supervision.
//!
//! Everything is put together here and nothing is decided here.

mod cli;
mod compose;
mod connection;
mod data_dir;
mod embedded_node;
mod listener;
mod logs;
mod process;
mod runtimes;
mod schedules;
mod serve;
mod supervise;
mod web;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Two hidden commands are other programs in the same file. They come before everything else:
    // a keeper must have a single thread when it begins.
    match std::env::args_os()
        .nth(1)
        .as_deref()
        .and_then(std::ffi::OsStr::to_str)
    {
        Some(hatchery_runtime::keeper::SUBCOMMAND) => {
            ExitCode::from(u8::try_from(hatchery_runtime::keeper::main()).unwrap_or(u8::MAX))
        }
        Some("demo-game") => hatchery_demo_game::run(std::env::args_os().skip(2)),
        _ => cli::run(std::env::args_os()),
    }
}
