//! Replays recorded exchanges of the reference against the real binary and tells what differs.
//!
//! `cargo xtask conformance` starts it. It sees the panel as its clients do, over HTTP, and beyond
//! that its SQLite file: rows are put there before an exchange, and the log of activity is read
//! from it after. It knows no crate of the product.

#![expect(
    clippy::disallowed_methods,
    reason = "starts the product, copies its folder and reads the machine's clock for one-time codes"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to a terminal"
)]
// A text is built from a handful of lines: no faster way is needed.
#![expect(clippy::format_push_string, reason = "clearer, and nowhere hot")]

mod arguments;
mod compare;
mod deliberate;
mod fixture;
mod host;
mod mariadb;
mod node;
mod normal;
mod panel;
mod recording;
mod replay;
mod send;
mod settings;
mod table;
mod template;
mod totp;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use arguments::Arguments;
use deliberate::Deliberate;
use host::Host;
use mariadb::MariaDb;
use recording::Recordings;
use replay::{Replayed, World};
use table::{Row, Table, Wrong};
use template::Template;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let arguments = Arguments::from_environment()?;
    let recordings = Recordings::in_folder(&arguments.recordings)?;
    let deliberate = Deliberate::read()?;
    let server = MariaDb::start()?;
    let template = match &arguments.world {
        Some(folder) => Template::existing(folder)?,
        None => Template::import(&arguments.binary, &recordings, &server)?,
    };
    let host = Host::new(server)?;
    let world = World {
        binary: &arguments.binary,
        recordings: &recordings,
        template: &template,
        host: &host,
    };
    let mut rows = Vec::new();
    for (area, result) in replay_all(world, &arguments) {
        rows.push(judged(&area, result, &deliberate, &arguments));
    }
    rows.sort_by_key(|row| recording::AREAS.iter().position(|area| *area == row.area));
    if arguments.differences {
        for row in &rows {
            print!("{}", row.details(&arguments.only));
        }
        println!();
    }
    print!("{}", Table(&rows));
    let right = rows
        .iter()
        .all(|row| row.is_right() || arguments.may_differ(&row.area));
    if !right && !arguments.differences {
        println!("`cargo xtask conformance --differences AREA` shows what is wrong, one by one");
    }
    arguments.write_results(&rows)?;
    Ok(if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Replays the areas, several at once.
fn replay_all(world: World<'_>, arguments: &Arguments) -> Vec<(String, Result<Vec<Replayed>>)> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some(area) = arguments.areas.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((area.clone(), replay::area(world, area)));
        }
        done
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.jobs).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_default())
            .collect()
    })
}

/// Counts an area's exchanges.
fn judged(
    area: &str,
    result: Result<Vec<Replayed>>,
    deliberate: &Deliberate,
    arguments: &Arguments,
) -> Row {
    let mut row = Row {
        area: area.to_owned(),
        ..Row::default()
    };
    let replayed = match result {
        Ok(replayed) => replayed,
        Err(error) => {
            row.complaints
                .push(format!("could not be replayed: {error:#}"));
            return row;
        }
    };
    for exchange in replayed {
        if exchange.withheld {
            row.withheld += 1;
            if arguments.withheld && exchange.name.contains(&arguments.only) {
                println!(
                    "{area}: {}\n  {}\n  {}",
                    exchange.name, exchange.request, exchange.answer
                );
            }
        }
        let differs = !exchange.differences.is_empty();
        let differences = deliberate.unexplained(area, &exchange.name, exchange.differences);
        if !differences.is_empty() {
            row.wrong.push(Wrong {
                name: exchange.name,
                request: exchange.request,
                differences,
            });
        } else if differs {
            row.deliberate += 1;
        } else if !exchange.withheld {
            row.equal += 1;
        }
    }
    row.complaints.extend(deliberate.unused(area));
    row
}
