//! Lists of numbers, names, ranges and steps, as one bit for each number that fits.

use crate::Invalid;

/// What a field may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    first: u32,
    last: u32,
    /// Names of the numbers from `first` on.
    names: &'static [&'static str],
}

pub(crate) const MINUTE: Field = Field::numbers(0, 59);
pub(crate) const HOUR: Field = Field::numbers(0, 23);
pub(crate) const DAY_OF_MONTH: Field = Field::numbers(1, 31);
pub(crate) const MONTH: Field = Field {
    first: 1,
    last: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
/// Both 0 and 7 are Sunday.
pub(crate) const WEEKDAY: Field = Field {
    first: 0,
    last: SUNDAY,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};
const SUNDAY: u32 = 7;

/// Whether a number is among those of a set.
pub(crate) fn has(set: u64, number: i8) -> bool {
    u32::try_from(number).is_ok_and(|number| set >> number & 1 == 1)
}

impl Field {
    const fn numbers(first: u32, last: u32) -> Self {
        Self {
            first,
            last,
            names: &[],
        }
    }

    /// Every number of the field.
    pub(crate) fn all(self) -> u64 {
        (self.first..=self.last).fold(0, |set, number| set | 1 << number)
    }

    /// Reads a list.
    pub(crate) fn parse(self, text: &str) -> Result<u64, Invalid> {
        text.split(',')
            .try_fold(0, |set, item| Ok(set | self.item(item)?))
    }

    /// Reads one item of a list: `*`, a number, a range, or a step through one of them.
    pub(crate) fn item(self, item: &str) -> Result<u64, Invalid> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0))),
            None => (item, None),
        };
        let (first, last) = if range == "*" {
            (self.first, self.last)
        } else if let Some((first, last)) = range.split_once('-') {
            self.range(self.value(first)?, self.value(last)?)
        } else if step.is_none() {
            let value = self.value(range)?;
            (value, value)
        } else {
            return Err(Invalid);
        };
        match step {
            None => Ok(bits(first, last, 1)),
            // A descending range holds nothing; what holds nothing cannot be stepped through.
            Some(Some(step)) if first <= last => Ok(bits(first, last, step)),
            Some(_) => Err(Invalid),
        }
    }

    /// A number or a name.
    pub(crate) fn value(self, text: &str) -> Result<u32, Invalid> {
        let named = || {
            let is_it = |name: &&str| name.eq_ignore_ascii_case(text);
            let place = self.names.iter().position(is_it)?;
            Some(self.first + u32::try_from(place).ok()?)
        };
        number(text)
            .or_else(named)
            .filter(|value| (self.first..=self.last).contains(value))
            .ok_or(Invalid)
    }

    /// Sunday begins a week as 0 and ends one as 7.
    const fn range(self, first: u32, last: u32) -> (u32, u32) {
        match (first, last) {
            (SUNDAY, last) if self.last == SUNDAY => (0, last),
            (first, 0) if self.last == SUNDAY && first > 0 => (first, SUNDAY),
            range => range,
        }
    }
}

/// Digits alone; leading zeros do not matter.
pub(crate) fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn bits(first: u32, last: u32, step: u32) -> u64 {
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    (first..=last)
        .step_by(step)
        .fold(0, |set, number| set | 1 << number)
}
