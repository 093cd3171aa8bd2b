//! The two fields that pick days.

use jiff::civil::{Date, Weekday};

use crate::Invalid;
use crate::field::{DAY_OF_MONTH, WEEKDAY, has, number};

/// Days by their place in the month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DaysOfMonth {
    /// `*` or `?`: it is for the weekday to say.
    Any,
    /// One bit for each.
    These(u64),
    /// `L`.
    Last,
    /// `15W`: the day from Monday to Friday of the same month that is nearest.
    NearestWorkday(i8),
}

impl DaysOfMonth {
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "*" | "?" => Ok(Self::Any),
            "L" => Ok(Self::Last),
            text => match text.strip_suffix('W') {
                Some(day) => {
                    let day = i8::try_from(DAY_OF_MONTH.value(day)?).map_err(|_| Invalid)?;
                    Ok(Self::NearestWorkday(day))
                }
                None => DAY_OF_MONTH.parse(text).map(Self::These),
            },
        }
    }

    pub(crate) fn fit(&self, date: Date) -> bool {
        match *self {
            Self::Any => true,
            Self::These(days) => has(days, date.day()),
            Self::Last => date.day() == date.days_in_month(),
            Self::NearestWorkday(day) => nearest_workday(date, day) == Some(date.day()),
        }
    }
}

/// The day of `date`'s month on which `day` is worked, if there is such a day.
fn nearest_workday(date: Date, day: i8) -> Option<i8> {
    let last = date.days_in_month();
    let wanted = Date::new(date.year(), date.month(), day).ok()?;
    Some(match wanted.weekday() {
        Weekday::Saturday if day == 1 => day + 2,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == last => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    })
}

/// Days by their place in the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Weekdays {
    /// `*` or `?`: it is for the day of the month to say.
    Any,
    /// Any of these.
    These(Vec<WeekdayItem>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WeekdayItem {
    /// One bit for each, 0 and 7 for Sunday.
    Every(u64),
    /// `5#2`: the second Friday of the month.
    Nth(u64, i8),
    /// `5L`: the last Friday of the month.
    Last(u64),
}

impl Weekdays {
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "*" | "?" => Ok(Self::Any),
            text => text
                .split(',')
                .map(WeekdayItem::parse)
                .collect::<Result<_, _>>()
                .map(Self::These),
        }
    }

    pub(crate) fn fit(&self, date: Date) -> bool {
        match self {
            Self::Any => true,
            Self::These(items) => items.iter().any(|item| item.fits(date)),
        }
    }
}

impl WeekdayItem {
    fn parse(text: &str) -> Result<Self, Invalid> {
        const DAYS_OF_A_WEEK: u32 = 7;
        let one = |day| Ok(1 << (WEEKDAY.value(day)? % DAYS_OF_A_WEEK));
        if let Some((day, nth)) = text.split_once('#') {
            let nth = number(nth).filter(|nth| (1..=5).contains(nth));
            let nth = nth.and_then(|nth| i8::try_from(nth).ok()).ok_or(Invalid)?;
            Ok(Self::Nth(one(day)?, nth))
        } else if let Some(day) = text.strip_suffix('L') {
            Ok(Self::Last(one(day)?))
        } else {
            let days = WEEKDAY.item(text)?;
            Ok(Self::Every(days | days >> DAYS_OF_A_WEEK))
        }
    }

    fn fits(self, date: Date) -> bool {
        const A_WEEK: i8 = 7;
        let is_among = |days| has(days, date.weekday().to_sunday_zero_offset());
        match self {
            Self::Every(days) => is_among(days),
            Self::Nth(days, nth) => is_among(days) && (date.day() - 1) / A_WEEK + 1 == nth,
            Self::Last(days) => is_among(days) && date.day() + A_WEEK > date.days_in_month(),
        }
    }
}
