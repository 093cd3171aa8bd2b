//! Dates as the rules `date`, `date_format`, `after` and `before` read them.
//!
//! Words that depend on the present day, such as `today`, are not understood: this crate has no
//! clock.

use jiff::civil::{DateTime, Time};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// Numeric notations tried after ISO 8601, in `strptime` terms.
const NOTATIONS: [&str; 8] = [
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
];

/// The moment that a text names, in UTC where it names no zone.
pub(crate) fn moment(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp.to_zoned_datetime(TimeZone::UTC).datetime());
    }
    if let Ok(datetime) = text.parse::<DateTime>() {
        return Some(datetime);
    }
    NOTATIONS.iter().find_map(|notation| {
        let parsed = strtime::parse(notation, text).ok()?;
        parsed.to_datetime().ok().or_else(|| {
            parsed
                .to_date()
                .ok()
                .map(|date| date.to_datetime(Time::midnight()))
        })
    })
}

/// Whether the text is a date written in PHP's format, exactly as that format would write it.
pub(crate) fn matches_format(text: &str, format: &str) -> bool {
    let Some(format) = strptime_format(format) else {
        return false;
    };
    let Ok(parsed) = strtime::parse(&format, text) else {
        return false;
    };
    parsed
        .to_string(&format)
        .is_ok_and(|written| written == text)
}

/// PHP's date letters in `strptime` terms; `None` when a letter has no counterpart.
fn strptime_format(format: &str) -> Option<String> {
    let mut out = String::with_capacity(format.len() * 2);
    let mut chars = format.chars();
    while let Some(char) = chars.next() {
        out.push_str(match char {
            'Y' => "%Y",
            'y' => "%y",
            'm' => "%m",
            'n' => "%-m",
            'd' => "%d",
            'j' => "%-d",
            'H' => "%H",
            'G' => "%-H",
            'h' => "%I",
            'g' => "%-I",
            'i' => "%M",
            's' => "%S",
            'A' => "%p",
            'a' => "%P",
            'D' => "%a",
            'l' => "%A",
            'M' => "%b",
            'F' => "%B",
            'P' => "%:z",
            'O' => "%z",
            'U' => "%s",
            '\\' => {
                out.push(chars.next()?);
                continue;
            }
            '%' => "%%",
            _ if char.is_ascii_alphabetic() => return None,
            _ => {
                out.push(char);
                continue;
            }
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_common_notations() {
        for text in [
            "2026-11-23",
            "2026-11-23 10:00:00",
            "2026-11-23T10:00:00+02:00",
            "11/23/2026",
            "23.11.2026",
        ] {
            assert!(moment(text).is_some(), "{text}");
        }
        for text in ["", "soon", "2026-13-01", "2026-02-30"] {
            assert!(moment(text).is_none(), "{text}");
        }
        assert!(moment("2026-11-23T01:00:00+02:00") < moment("2026-11-23"));
    }

    #[test]
    fn formats_are_exact() {
        assert!(matches_format("2026-11-23", "Y-m-d"));
        assert!(!matches_format("2026-11-3", "Y-m-d"));
        assert!(matches_format("3/1/26", "j/n/y"));
        assert!(matches_format("09:05", "H:i"));
        assert!(!matches_format("09:65", "H:i"));
        assert!(!matches_format("x", "Q"));
    }
}
