//! Five-field cron expressions (client-api.md §8.1): which are accepted, and when they are due, in
//! any time zone and across its clock changes. Knows neither schedules nor what the time is.
//!
//! **Clock changes.** An expression that names hours is meant by the day, and no day may lose or
//! double it: what falls into a stretch that the clocks skip is due once, right after it, and a
//! repeated stretch counts the first time only, unless the minute is a wildcard, such as `*/30`. One
//! that fits every hour goes on by real time when whole hours are skipped or repeated.

mod days;
mod due;
mod field;

use days::{DaysOfMonth, Weekdays};
use field::{HOUR, MINUTE, MONTH};

/// The five fields as people write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the field")]
pub struct Expression<'a> {
    pub minute: &'a str,
    pub hour: &'a str,
    pub day_of_month: &'a str,
    pub month: &'a str,
    pub day_of_week: &'a str,
}

/// The text is no cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cron expression")]
pub struct Invalid;

/// A cron expression that was understood. It may still be one that is never due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// One bit for each minute, hour and month that fits.
    minutes: u64,
    hours: u64,
    months: u64,
    days: DaysOfMonth,
    weekdays: Weekdays,
    /// Whether the minute is a wildcard, with or without a step.
    any_minute: bool,
}

impl Cron {
    /// Understands an expression.
    pub fn parse(expression: Expression<'_>) -> Result<Self, Invalid> {
        let (days, weekdays) = (
            DaysOfMonth::parse(expression.day_of_month)?,
            Weekdays::parse(expression.day_of_week)?,
        );
        if expression.day_of_month == "?" && expression.day_of_week == "?" {
            return Err(Invalid);
        }
        Ok(Self {
            minutes: MINUTE.parse(expression.minute)?,
            hours: HOUR.parse(expression.hour)?,
            months: MONTH.parse(expression.month)?,
            days,
            weekdays,
            any_minute: expression.minute.starts_with('*'),
        })
    }

    fn fits_day(&self, date: jiff::civil::Date) -> bool {
        field::has(self.months, date.month())
            && match (&self.days, &self.weekdays) {
                (DaysOfMonth::Any, weekdays) => weekdays.fit(date),
                (days, Weekdays::Any) => days.fit(date),
                // Both are restricted: either may match.
                (days, weekdays) => days.fit(date) || weekdays.fit(date),
            }
    }

    fn fits_every_hour(&self) -> bool {
        self.hours == HOUR.all()
    }
}
