//! Writes `docs/performance.md` from what was measured.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;

use super::load::{CONNECTIONS, Measured};
use super::{Calm, Memory, Pair};
use crate::{program, project};

/// What the measured figures should be at least; see the page's last table.
const SHARE_OF_BARE: [(&str, f64); 8] = [
    ("list", 0.5),
    ("view", 1.0 / 3.0),
    ("account", 1.0 / 3.0),
    ("startup", 1.0 / 3.0),
    ("activity", 1.0 / 3.0),
    ("activity, newest first", 1.0 / 3.0),
    ("backups", 1.0 / 3.0),
    ("schedules", 1.0 / 3.0),
];
/// The list is longer in the large panel, and is not compared.
const NOT_ALIKE: &str = "list";
/// How much slower, by its share of the yardstick, a route may look in the large panel: measured
/// twice on a quiet machine, the same route differs by less.
const FLAT: f64 = 0.75;
const IDLE_MEMORY: f64 = 40.0;
const COLD_START: f64 = 300.0;

/// The whole page.
pub(super) fn write(small: &[Pair], pairs: &[Pair], calm: &Calm) -> Result<String> {
    let mut page = String::from(
        "# Performance\n\n\
         `cargo xtask bench` measures and writes this page. The panel holds 10,000 servers, 50 of \
         them of the user who calls, and 1,000,000 activity rows, half of them of one server, in \
         the embedded database. That server has 20 backups and 10 schedules of 10 tasks.\n\n",
    );
    let commit = program::output(project::command("git").args(["rev-parse", "--short", "HEAD"]))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    writeln!(
        page,
        "Seen at revision `{}` on {cores} cores, which load, panel and yardstick share; \
         {CONNECTIONS} connections. Each figure is the median of {} rounds, in which a route and \
         its yardstick take turns. The *yardstick* is a bare endpoint of the same binary, listener \
         and HTTP stack that sends the same bytes from memory.\n",
        commit.trim(),
        pairs.first().map_or(0, |pair| pair.rounds.len()),
    )?;

    page.push_str(
        "## Client API\n\n\
         | route | bytes | requests/s | yardstick | **share** | p50 µs | p99 µs | CPU µs per request | yardstick |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for pair in pairs {
        let own =
            |figure: fn(&Measured) -> f64| median(pair.rounds.iter().map(|(own, _)| figure(own)));
        let bare =
            |figure: fn(&Measured) -> f64| median(pair.rounds.iter().map(|(_, bare)| figure(bare)));
        writeln!(
            page,
            "| {} | {} | {:.0} | {:.0} | **{:.2}** | {:.0} | {:.0} | {:.1} | {:.1} |",
            pair.name,
            pair.bytes,
            own(|m| m.per_second),
            bare(|m| m.per_second),
            share(pair),
            own(|m| micros(m.p50)),
            own(|m| micros(m.p99)),
            own(|m| micros(m.cpu)),
            bare(|m| micros(m.cpu)),
        )?;
    }

    let start = median(calm.starts.iter().map(|start| start.as_secs_f64() * 1000.0));
    page.push_str("\n## Calm\n\n| what | seen |\n| --- | ---: |\n");
    for (what, seen) in [
        (
            "cold start to the first answer, 10,000 servers",
            format!("{start:.0} ms"),
        ),
        ("memory at idle after start", memory(calm.memory_idle)),
        ("memory after the load above", memory(calm.memory_after)),
        (
            "first list after a minute of silence",
            format!("{:.1} ms", micros(calm.first_after_silence) / 1000.0),
        ),
        (
            "the next one",
            format!("{:.1} ms", micros(calm.next_after_silence) / 1000.0),
        ),
        (
            "size of the binary",
            format!("{:.1} MB", calm.binary_bytes as f64 / 1e6),
        ),
    ] {
        writeln!(page, "| {what} | {seen} |")?;
    }

    page.push_str(
        "\n## Against what is asked\n\n| what | asked | seen | |\n| --- | ---: | ---: | --- |\n",
    );
    for (name, asked) in SHARE_OF_BARE {
        let Some(pair) = pairs.iter().find(|pair| pair.name == name) else {
            continue;
        };
        let seen = share(pair);
        let what = format!("{name}, share of the yardstick");
        row(
            &mut page,
            &what,
            &format!("≥ {asked:.2}"),
            &format!("{seen:.2}"),
            seen >= asked,
        )?;
    }
    for (name, in_small, in_large) in alike(small, pairs) {
        let flat = in_large / in_small;
        row(
            &mut page,
            &format!("{name}, beside 10 servers and 1,000 activity rows"),
            &format!("≥ {FLAT:.2}"),
            &format!("{flat:.2}"),
            flat >= FLAT,
        )?;
    }
    let idle = mebibytes(calm.memory_idle.all);
    row(
        &mut page,
        "memory at idle, seen with 10,000 servers",
        "< 40 MiB",
        &format!("{idle:.1} MiB"),
        idle < IDLE_MEMORY,
    )?;
    row(
        &mut page,
        "cold start, asked with 1,000 servers, seen with 10,000",
        "< 300 ms",
        &format!("{start:.0} ms"),
        start < COLD_START,
    )?;
    page.push_str(
        "\n## For scale\n\n\
         On a machine of the same kind, with 50 servers and 16 connections, the reference panel \
         answered 13.8 lists, 123 views and 237 account calls a second and needed 226 MiB; the \
         nearest peer in Rust 538 lists, 18,700 views and 31,000 account calls, and 208 MB.\n",
    );
    Ok(page)
}

/// The shares of each route in the small and in the large panel.
fn alike<'a>(
    small: &'a [Pair],
    large: &'a [Pair],
) -> impl Iterator<Item = (&'static str, f64, f64)> + 'a {
    small
        .iter()
        .filter(|pair| pair.name != NOT_ALIKE)
        .filter_map(|pair| {
            let other = large.iter().find(|other| other.name == pair.name)?;
            Some((pair.name, share(pair), share(other)))
        })
}

fn row(page: &mut String, what: &str, asked: &str, seen: &str, met: bool) -> std::fmt::Result {
    let verdict = if met { "met" } else { "**short**" };
    writeln!(page, "| {what} | {asked} | {seen} | {verdict} |")
}

/// How many requests are answered for each that the yardstick answers, in the median round.
fn share(pair: &Pair) -> f64 {
    median(
        pair.rounds
            .iter()
            .map(|(own, bare)| own.per_second / bare.per_second),
    )
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn memory(memory: Memory) -> String {
    let (all, own) = (mebibytes(memory.all), mebibytes(memory.anonymous));
    format!("{all:.1} MiB, of which {own:.1} MiB its own and the rest mapped files")
}
