//! Cron expressions through the crate's boundary.
#![expect(clippy::unwrap_used, reason = "tests")]

mod clocks;
mod grammar;
mod oracle;

use hatchery_cron::{Cron, Expression, Invalid};
use hatchery_vocab::Timestamp;
use jiff::tz::TimeZone;

/// Five fields with blanks between them.
fn parse(text: &str) -> Result<Cron, Invalid> {
    let [minute, hour, day_of_month, month, day_of_week] = fields(text);
    Cron::parse(Expression {
        minute,
        hour,
        day_of_month,
        month,
        day_of_week,
    })
}

fn fields(text: &str) -> [&str; 5] {
    text.split(' ').collect::<Vec<_>>().try_into().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// A moment, written with its offset.
fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next runs after a moment, as the zone's clocks show them.
fn runs(text: &str, after: &str, zone_name: &str, count: usize) -> Vec<String> {
    let zone = zone(zone_name);
    parse(text)
        .unwrap()
        .runs_after(at(after), &zone)
        .take(count)
        .map(|run| run.iso(&zone).to_string())
        .collect()
}
