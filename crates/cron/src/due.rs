//! When an expression is due.
//!
//! Time is cut into stretches between changes of a zone's clocks. Within one, clocks run as on an
//! ordinary day; what a change skips or repeats is decided where its stretch begins.

use hatchery_vocab::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use crate::Cron;
use crate::field::has;

/// How far ahead to look: longer than any date takes to come round again. The rarest, a fifth
/// Friday in February, comes within forty years.
const HORIZON_YEARS: i32 = 50;
/// In seconds.
const MINUTE: i64 = 60;
const HOUR: i32 = 60 * 60;

/// Time between two changes of a zone's clocks.
#[derive(Debug)]
struct Stretch {
    /// The change that it begins with: when, and how the clocks went before.
    start: Option<(jiff::Timestamp, Offset)>,
    offset: Offset,
    end: Option<jiff::Timestamp>,
}

impl Cron {
    /// The first minute after `after` at which it is due; nothing when there is none.
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let minute = after.seconds().div_euclid(MINUTE) + 1;
        let mut from = jiff::Timestamp::from_second(minute.checked_mul(MINUTE)?).ok()?;
        let first = zone.to_datetime(from).date();
        let horizon = first.checked_add(HORIZON_YEARS.years()).ok()?;
        loop {
            let stretch = Stretch::around(from, zone);
            if let Some(due) = self.first_within(&stretch, from, horizon) {
                return Some(Timestamp::from_seconds(due.as_second()));
            }
            from = stretch.end?;
            if zone.to_datetime(from).date() > horizon {
                return None;
            }
        }
    }

    /// All the minutes after `after` at which it is due, in order.
    pub fn runs_after(&self, after: Timestamp, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(after, zone), |last| {
            self.next_after(*last, zone)
        })
    }

    fn first_within(
        &self,
        stretch: &Stretch,
        from: jiff::Timestamp,
        horizon: Date,
    ) -> Option<jiff::Timestamp> {
        let mut local = stretch.offset.to_datetime(from);
        if let Some((start, before)) = stretch.start {
            let (was, is) = (before.to_datetime(start), stretch.offset.to_datetime(start));
            let shift = stretch.offset.seconds() - before.seconds();
            // Every hour stays every hour when whole ones are skipped or repeated.
            let goes_on = self.fits_every_hour() && shift % HOUR == 0;
            let skips = |cron: &Self| cron.first_match(was, is, horizon).is_some();
            if was < is && from == start && !goes_on && skips(self) {
                // What the clocks skip is due at once.
                return Some(start);
            }
            if is < was && !goes_on && !self.any_minute {
                // What they repeat is over.
                local = local.max(was);
            }
        }
        let end = stretch
            .end
            .map_or(DateTime::MAX, |end| stretch.offset.to_datetime(end));
        let due = self.first_match(local, end, horizon)?;
        stretch.offset.to_timestamp(due).ok()
    }

    /// The first minute from `from` on and before `end` that fits, on clocks that never change.
    fn first_match(&self, from: DateTime, end: DateTime, horizon: Date) -> Option<DateTime> {
        let mut date = from.date();
        let mut earliest = round_up(from.time());
        while date <= end.date().min(horizon) {
            if self.fits_day(date)
                && let Some(time) = earliest.and_then(|earliest| self.first_time(earliest))
            {
                let due = date.to_datetime(time);
                return (due < end).then_some(due);
            }
            date = if has(self.months, date.month()) {
                date.tomorrow().ok()?
            } else {
                date.last_of_month().tomorrow().ok()?
            };
            earliest = Some(Time::midnight());
        }
        None
    }

    /// The first time of a day that fits, from `earliest` on.
    fn first_time(&self, earliest: Time) -> Option<Time> {
        let minute = |from| (from..60).find(|minute| has(self.minutes, *minute));
        (earliest.hour()..24)
            .filter(|hour| has(self.hours, *hour))
            .find_map(|hour| {
                let from = if hour == earliest.hour() {
                    earliest.minute()
                } else {
                    0
                };
                Time::new(hour, minute(from)?, 0, 0).ok()
            })
    }
}

/// The next whole minute; nothing when it is tomorrow's.
fn round_up(time: Time) -> Option<Time> {
    let whole = Time::new(time.hour(), time.minute(), 0, 0).ok()?;
    if whole == time {
        Some(whole)
    } else {
        whole.checked_add(1.minute()).ok()
    }
}

impl Stretch {
    fn around(moment: jiff::Timestamp, zone: &TimeZone) -> Self {
        let tick = 1.nanosecond();
        // A change at this very moment begins the stretch.
        let change = moment
            .checked_add(tick)
            .ok()
            .and_then(|later| zone.preceding(later).next())
            .map(|transition| transition.timestamp());
        let start = change.and_then(|change| {
            let before = change.checked_sub(tick).ok()?;
            Some((change, zone.to_offset(before)))
        });
        Self {
            start,
            offset: zone.to_offset(moment),
            end: zone
                .following(moment)
                .next()
                .map(|transition| transition.timestamp()),
        }
    }
}
