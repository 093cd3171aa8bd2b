//! Points in time. Nothing here reads a clock: see `hatchery-ambient`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::tz::TimeZone;

const MICROS: i64 = 1_000_000;

/// A point in time in microseconds since 1970, the precision that the databases keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// So many microseconds after the start of 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// So many seconds after the start of 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS))
    }

    /// Microseconds since the start of 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the start of 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration_micros(duration)))
    }

    /// This much earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration_micros(duration)))
    }

    /// The time from `earlier` to here; zero when `earlier` is in fact later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// ISO 8601 with seconds and a numeric offset, `2026-11-23T06:29:25+00:00`: the only form of a
    /// date on the wire (client-api.md §1.15).
    pub fn iso(self, zone: &TimeZone) -> impl fmt::Display + use<> {
        let zoned = jiff::Timestamp::from_second(self.seconds())
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned_datetime(zone.clone());
        zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// [`Self::iso`] in UTC.
    pub fn iso_utc(self) -> String {
        self.iso(&TimeZone::UTC).to_string()
    }
}

fn duration_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The text is not a point in time with an offset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time with an offset, such as 2026-11-23T06:29:25+00:00")]
pub struct ParseTimestamp;

impl FromStr for Timestamp {
    type Err = ParseTimestamp;

    /// Reads RFC 3339, fractions included.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| ParseTimestamp)?;
        Ok(Self(parsed.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_has_seconds_and_an_offset() {
        let time: Timestamp = "2026-11-23T06:29:25.999999Z".parse().unwrap();
        assert_eq!(time.iso_utc(), "2026-11-23T06:29:25+00:00");
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        assert_eq!(time.iso(&zone).to_string(), "2026-11-23T01:29:25-05:00");
        assert_eq!(
            time.iso_utc().parse(),
            Ok(Timestamp::from_seconds(time.seconds()))
        );
        assert_eq!("yesterday".parse::<Timestamp>(), Err(ParseTimestamp));
    }

    #[test]
    fn arithmetic_never_wraps() {
        let late = Timestamp::from_micros(i64::MAX);
        assert_eq!(late.plus(Duration::MAX), late);
        assert_eq!(Timestamp::from_seconds(-1).since(late), Duration::ZERO);
        assert_eq!(Timestamp::from_micros(-1).seconds(), -1);
    }
}
