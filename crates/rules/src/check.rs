//! Whether a value obeys one rule.

use serde_json::Value;

use crate::rule::{Bound, Comparison, Rule};
use crate::{date, format, value};

/// A field under examination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The whole input.
    pub(crate) root: &'a Value,
    /// The field's dotted path with the wildcards filled in.
    pub(crate) field: &'a str,
    /// What stands there; `None` when the key is absent.
    pub(crate) value: Option<&'a Value>,
    /// Whether the field's rules say that it is a number.
    pub(crate) as_number: bool,
    /// Whether the field's rules say that it is a list.
    pub(crate) as_list: bool,
    /// The other fields that the same wildcard reached.
    pub(crate) siblings: &'a [String],
}

impl Subject<'_> {
    fn value(&self) -> &Value {
        self.value.unwrap_or(&Value::Null)
    }

    fn size(&self) -> f64 {
        value::size(self.value(), self.as_number)
    }

    fn other(&self, field: &str) -> &Value {
        value::lookup(self.root, field).unwrap_or(&Value::Null)
    }

    fn other_is_present(&self, field: &str) -> bool {
        !value::is_blank(self.other(field))
    }

    fn other_is_one_of(&self, field: &str, values: &[String]) -> bool {
        let other = self.other(field);
        // The two words stand for the booleans, to which PHP compares anything else loosely.
        let is_boolean = |value: &String| match value.as_str() {
            "true" => value::is_truthy(other),
            "false" => !other.is_null() && !value::is_truthy(other),
            _ => false,
        };
        is_one_of(other, values) || values.iter().any(is_boolean)
    }

    /// Whether the value is one of these; a list, where the rules want one, when all its items are.
    fn is_one_of(&self, values: &[String]) -> bool {
        match self.value() {
            Value::Array(items) if self.as_list => items.iter().all(|item| is_one_of(item, values)),
            other => is_one_of(other, values),
        }
    }

    fn text_is(&self, check: impl FnOnce(&str) -> bool) -> bool {
        value::characters(self.value()).is_some_and(|text| check(&text))
    }

    fn digits(&self, check: impl FnOnce(usize) -> bool) -> bool {
        self.text_is(|text| text.bytes().all(|byte| byte.is_ascii_digit()) && check(text.len()))
    }

    fn starts_with_one_of(&self, values: &[String]) -> bool {
        self.text_is(|text| {
            values
                .iter()
                .any(|start| !start.is_empty() && text.starts_with(start.as_str()))
        })
    }

    fn ends_with_one_of(&self, values: &[String]) -> bool {
        self.text_is(|text| {
            values
                .iter()
                .any(|end| !end.is_empty() && text.ends_with(end.as_str()))
        })
    }

    fn consists_of(&self, check: impl Fn(char) -> bool) -> bool {
        self.text_is(|text| !text.is_empty() && text.chars().all(check))
    }

    /// Compares dates; the other one is a date or the name of a field that holds one.
    fn date_is(&self, other: &str, check: fn(&std::cmp::Ordering) -> bool) -> bool {
        let theirs =
            date::moment(other).or_else(|| self.other(other).as_str().and_then(date::moment));
        let ours = self.value().as_str().and_then(date::moment);
        matches!((ours, theirs), (Some(ours), Some(theirs)) if check(&ours.cmp(&theirs)))
    }

    /// Compares sizes; the other one is a number or the name of a field of the same type.
    fn compare(&self, direction: Comparison, other: &str) -> bool {
        let (ours, theirs) = match value::lookup(self.root, other) {
            None => match (value::numeric(self.value()), value::numeric_text(other)) {
                (Some(ours), Some(theirs)) => (ours, theirs),
                _ => return false,
            },
            Some(other) => {
                let numbers = (value::numeric(self.value()), value::numeric(other));
                match numbers {
                    (Some(ours), Some(theirs)) if self.as_number => (ours, theirs),
                    _ if std::mem::discriminant(self.value()) == std::mem::discriminant(other) => {
                        (self.size(), value::size(other, self.as_number))
                    }
                    _ => return false,
                }
            }
        };
        match direction {
            Comparison::Gt => ours > theirs,
            Comparison::Gte => ours >= theirs,
            Comparison::Lt => ours < theirs,
            Comparison::Lte => ours <= theirs,
        }
    }

    fn is_distinct(&self) -> bool {
        !self.siblings.iter().any(|sibling| {
            sibling != self.field
                && value::lookup(self.root, sibling)
                    .is_some_and(|other| value::same(other, self.value()))
        })
    }

    /// Whether the value is among those that a wildcard path reaches.
    fn is_in_field(&self, pattern: &str) -> bool {
        crate::fields::expand(self.root, pattern)
            .iter()
            .any(|field| {
                value::lookup(self.root, field)
                    .is_some_and(|other| value::same(other, self.value()))
            })
    }
}

/// Whether a scalar's text is among these.
fn is_one_of(value: &Value, values: &[String]) -> bool {
    value::as_text(value).is_some_and(|text| values.iter().any(|known| *known == text))
}

fn is_multiple(value: f64, of: f64) -> bool {
    // Decimal fractions are not exact in binary, so a quotient this near to a whole number is one.
    const TOLERANCE: f64 = 1e-9;
    let quotient = value / of;
    quotient.is_finite()
        && (quotient - quotient.round()).abs() <= TOLERANCE * quotient.abs().max(1.0)
}

fn decimal_places(text: &str) -> Option<usize> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction)).then_some(fraction.len())
}

fn is_accepted(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_i64() == Some(1),
        Value::String(text) => matches!(text.as_str(), "yes" | "on" | "1" | "true"),
        _ => false,
    }
}

fn is_declined(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => matches!(text.as_str(), "no" | "off" | "0" | "false"),
        _ => false,
    }
}

impl Rule {
    /// Whether the subject obeys the rule.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        let value = subject.value();
        let at_least = |bound: &Bound| subject.size() >= bound.value;
        let at_most = |bound: &Bound| subject.size() <= bound.value;
        let blank = || value::is_blank(value);
        match self {
            Self::Bail | Self::Nullable | Self::Sometimes => true,
            Self::Accepted => is_accepted(value),
            Self::ActiveUrl => subject.text_is(format::has_host),
            Self::After(other) => subject.date_is(other, |order| order.is_gt()),
            Self::AfterOrEqual(other) => subject.date_is(other, |order| order.is_ge()),
            Self::Alpha { ascii } => {
                value.is_string()
                    && subject.consists_of(|char| format::is_word_char(char, false, *ascii))
            }
            Self::AlphaDash { ascii } => subject.consists_of(|char| {
                char == '_' || char == '-' || format::is_word_char(char, true, *ascii)
            }),
            Self::AlphaNum { ascii } => {
                subject.consists_of(|char| format::is_word_char(char, true, *ascii))
            }
            // A JSON object is a list with named keys.
            Self::Array => value.is_array() || value.is_object(),
            Self::Ascii => value::as_text(value).is_some_and(|text| text.is_ascii()),
            Self::Before(other) => subject.date_is(other, |order| order.is_lt()),
            Self::BeforeOrEqual(other) => subject.date_is(other, |order| order.is_le()),
            Self::Between(min, max) => at_least(min) && at_most(max),
            Self::Boolean => value::is_boolean(value),
            Self::Compare(direction, other) => subject.compare(*direction, other),
            Self::Confirmed => value == subject.other(&format!("{}_confirmation", subject.field)),
            Self::Date => subject.text_is(|text| date::moment(text).is_some()),
            Self::DateFormat(formats) => subject.text_is(|text| {
                formats
                    .iter()
                    .any(|format| date::matches_format(text, format))
            }),
            Self::Decimal(places) => {
                value::numeric(value).is_some()
                    && subject.text_is(|text| {
                        decimal_places(text)
                            .is_some_and(|count| (places.min..=places.max).contains(&count))
                    })
            }
            Self::Declined => is_declined(value),
            Self::Different(others) => !others.iter().any(|other| {
                value::lookup(subject.root, other).is_some_and(|other| other == value)
            }),
            Self::Digits(count) => subject.digits(|length| length == *count),
            Self::DigitsBetween(min, max) => {
                subject.digits(|length| (*min..=*max).contains(&length))
            }
            Self::Distinct => subject.is_distinct(),
            Self::DoesntEndWith(values) => !subject.ends_with_one_of(values),
            Self::DoesntStartWith(values) => !subject.starts_with_one_of(values),
            Self::Email => value.as_str().is_some_and(format::is_email),
            Self::EndsWith(values) => subject.ends_with_one_of(values),
            Self::Filled => subject.value.is_none() || !blank(),
            Self::HexColor => subject.text_is(format::is_hex_color),
            Self::In(values) => subject.is_one_of(values),
            Self::InArray(other) => subject.is_in_field(other),
            Self::Integer => value::is_integer(value),
            Self::Ip => subject.text_is(|text| format::is_ipv4(text) || format::is_ipv6(text)),
            Self::Ipv4 => subject.text_is(format::is_ipv4),
            Self::Ipv6 => subject.text_is(format::is_ipv6),
            Self::Json => {
                subject.text_is(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
            }
            Self::Lowercase => subject.text_is(|text| text.to_lowercase() == text),
            Self::MacAddress => subject.text_is(format::is_mac_address),
            Self::Max(bound) => at_most(bound),
            Self::MaxDigits(count) => subject.digits(|length| length <= *count),
            Self::Min(bound) => at_least(bound),
            Self::MinDigits(count) => subject.digits(|length| length >= *count),
            Self::MultipleOf(bound) => {
                value::numeric(value).is_some_and(|number| is_multiple(number, bound.value))
            }
            Self::NotIn(values) => !subject.is_one_of(values),
            Self::NotRegex(pattern) => subject.text_is(|text| !pattern.is_match(text)),
            Self::Numeric => value::numeric(value).is_some(),
            Self::Present => subject.value.is_some(),
            Self::Regex(pattern) => subject.text_is(|text| pattern.is_match(text)),
            Self::Required => !blank(),
            Self::RequiredIf(other, values) => !blank() || !subject.other_is_one_of(other, values),
            Self::RequiredUnless(other, values) => {
                !blank() || subject.other_is_one_of(other, values)
            }
            Self::RequiredWith(others) => {
                !blank() || !others.iter().any(|other| subject.other_is_present(other))
            }
            Self::RequiredWithAll(others) => {
                !blank() || !others.iter().all(|other| subject.other_is_present(other))
            }
            Self::RequiredWithout(others) => {
                !blank() || others.iter().all(|other| subject.other_is_present(other))
            }
            Self::RequiredWithoutAll(others) => {
                !blank() || others.iter().any(|other| subject.other_is_present(other))
            }
            Self::Same(other) => {
                value::lookup(subject.root, other).is_some_and(|other| other == value)
            }
            Self::Size(bound) => (subject.size() - bound.value).abs() < f64::EPSILON,
            Self::StartsWith(values) => subject.starts_with_one_of(values),
            Self::String => value.is_string(),
            Self::Timezone => value.as_str().is_some_and(format::is_timezone),
            Self::Ulid => subject.text_is(format::is_ulid),
            Self::Uppercase => subject.text_is(|text| text.to_uppercase() == text),
            Self::Url => value.as_str().is_some_and(format::is_url),
            Self::Uuid => value.as_str().is_some_and(format::is_uuid),
        }
    }
}
