//! The sentence of each rule, word for word as client-api.md §2.2 has it.

use serde_json::Value;

use crate::check::Subject;
use crate::fields::display_name;
use crate::rule::{Comparison, Rule};
use crate::value;

/// What the field's rules say it is, which decides between the sentences about sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    List,
    Text,
}

impl Kind {
    pub(crate) fn of(rules: &[Rule]) -> Self {
        if rules.iter().any(Rule::is_numeric) {
            Self::Number
        } else if rules.iter().any(|rule| matches!(rule, Rule::Array)) {
            Self::List
        } else {
            Self::Text
        }
    }
}

/// The sentence for a failed rule. `a` is the attribute's name in it.
pub(crate) fn sentence(rule: &Rule, a: &str, kind: Kind, subject: &Subject<'_>) -> String {
    match rule {
        Rule::Accepted => format!("The {a} must be accepted."),
        Rule::ActiveUrl => format!("The {a} is not a valid URL."),
        Rule::After(date) => format!("The {a} must be a date after {}.", display_date(date)),
        Rule::AfterOrEqual(date) => format!(
            "The {a} must be a date after or equal to {}.",
            display_date(date)
        ),
        Rule::Alpha { .. } => format!("The {a} may only contain letters."),
        Rule::AlphaDash { .. } => format!("The {a} may only contain letters, numbers, and dashes."),
        Rule::AlphaNum { .. } => format!("The {a} may only contain letters and numbers."),
        Rule::Array => format!("The {a} must be an array."),
        Rule::Ascii => {
            format!(
                "The {a} field must only contain single-byte alphanumeric characters and symbols."
            )
        }
        Rule::Before(date) => format!("The {a} must be a date before {}.", display_date(date)),
        Rule::BeforeOrEqual(date) => format!(
            "The {a} must be a date before or equal to {}.",
            display_date(date)
        ),
        Rule::Between(min, max) => match kind {
            Kind::Number => format!("The {a} must be between {} and {}.", min.text, max.text),
            Kind::List => format!(
                "The {a} must have between {} and {} items.",
                min.text, max.text
            ),
            Kind::Text => format!(
                "The {a} must be between {} and {} characters.",
                min.text, max.text
            ),
        },
        Rule::Boolean => format!("The {a} field must be true or false."),
        Rule::Compare(direction, other) => comparison(*direction, other, a, kind, subject),
        Rule::Confirmed => format!("The {a} confirmation does not match."),
        Rule::Date => format!("The {a} is not a valid date."),
        Rule::DateFormat(formats) => {
            format!("The {a} does not match the format {}.", formats.join(", "))
        }
        Rule::Decimal(places) if places.min == places.max => {
            format!("The {a} field must have {} decimal places.", places.min)
        }
        Rule::Decimal(places) => format!(
            "The {a} field must have {}-{} decimal places.",
            places.min, places.max
        ),
        Rule::Declined => format!("The {a} field must be declined."),
        Rule::Different(others) => {
            let other = others
                .first()
                .map(|other| display_name(other))
                .unwrap_or_default();
            format!("The {a} and {other} must be different.")
        }
        Rule::Digits(count) => format!("The {a} must be {count} digits."),
        Rule::DigitsBetween(min, max) => format!("The {a} must be between {min} and {max} digits."),
        Rule::Distinct => format!("The {a} field has a duplicate value."),
        Rule::DoesntEndWith(values) => {
            format!(
                "The {a} field must not end with one of the following: {}.",
                values.join(", ")
            )
        }
        Rule::DoesntStartWith(values) => {
            format!(
                "The {a} field must not start with one of the following: {}.",
                values.join(", ")
            )
        }
        Rule::Email => format!("The {a} must be a valid email address."),
        Rule::EndsWith(values) => {
            format!(
                "The {a} field must end with one of the following: {}.",
                values.join(", ")
            )
        }
        Rule::HexColor => format!("The {a} field must be a valid hexadecimal color."),
        Rule::In(_) | Rule::NotIn(_) => format!("The selected {a} is invalid."),
        Rule::InArray(other) => format!("The {a} field does not exist in {}.", display_name(other)),
        Rule::Integer => format!("The {a} must be an integer."),
        Rule::Ip => format!("The {a} must be a valid IP address."),
        Rule::Ipv4 => format!("The {a} field must be a valid IPv4 address."),
        Rule::Ipv6 => format!("The {a} field must be a valid IPv6 address."),
        Rule::Json => format!("The {a} must be a valid JSON string."),
        Rule::Lowercase => format!("The {a} field must be lowercase."),
        Rule::MacAddress => format!("The {a} field must be a valid MAC address."),
        Rule::Max(bound) => match kind {
            Kind::Number => format!("The {a} may not be greater than {}.", bound.text),
            Kind::List => format!("The {a} may not have more than {} items.", bound.text),
            Kind::Text => format!("The {a} may not be greater than {} characters.", bound.text),
        },
        Rule::MaxDigits(count) => format!("The {a} field must not have more than {count} digits."),
        Rule::Min(bound) => match kind {
            Kind::Number => format!("The {a} must be at least {}.", bound.text),
            Kind::List => format!("The {a} must have at least {} items.", bound.text),
            Kind::Text => format!("The {a} must be at least {} characters.", bound.text),
        },
        Rule::MinDigits(count) => format!("The {a} field must have at least {count} digits."),
        Rule::MultipleOf(bound) => format!("The {a} field must be a multiple of {}.", bound.text),
        Rule::NotRegex(_) => format!("The {a} field format is invalid."),
        Rule::Numeric => format!("The {a} must be a number."),
        Rule::Present => format!("The {a} field must be present."),
        Rule::Regex(_) | Rule::Url => format!("The {a} format is invalid."),
        // The last three hold always, so their sentence is never asked for.
        Rule::Required | Rule::Filled | Rule::Bail | Rule::Nullable | Rule::Sometimes => {
            format!("The {a} field is required.")
        }
        Rule::RequiredIf(other, _) => {
            let value = value::lookup(subject.root, other)
                .map(display_value)
                .unwrap_or_default();
            format!(
                "The {a} field is required when {} is {value}.",
                display_name(other)
            )
        }
        Rule::RequiredUnless(other, values) => format!(
            "The {a} field is required unless {} is in {}.",
            display_name(other),
            values.join(", ")
        ),
        Rule::RequiredWith(others) | Rule::RequiredWithAll(others) => {
            format!(
                "The {a} field is required when {} is present.",
                display_names(others)
            )
        }
        Rule::RequiredWithout(others) => {
            format!(
                "The {a} field is required when {} is not present.",
                display_names(others)
            )
        }
        Rule::RequiredWithoutAll(others) => {
            format!(
                "The {a} field is required when none of {} are present.",
                display_names(others)
            )
        }
        Rule::Same(other) => format!("The {a} and {} must match.", display_name(other)),
        Rule::Size(bound) => match kind {
            Kind::Number => format!("The {a} must be {}.", bound.text),
            Kind::List => format!("The {a} must contain {} items.", bound.text),
            Kind::Text => format!("The {a} must be {} characters.", bound.text),
        },
        Rule::StartsWith(values) => {
            format!(
                "The {a} field must start with one of the following: {}.",
                values.join(", ")
            )
        }
        Rule::String => format!("The {a} must be a string."),
        Rule::Timezone => format!("The {a} must be a valid zone."),
        Rule::Ulid => format!("The {a} field must be a valid ULID."),
        Rule::Uppercase => format!("The {a} field must be uppercase."),
        Rule::Uuid => format!("The {a} field must be a valid UUID."),
    }
}

fn comparison(
    direction: Comparison,
    other: &str,
    a: &str,
    kind: Kind,
    subject: &Subject<'_>,
) -> String {
    let number = kind == Kind::Number || subject.value.and_then(value::numeric).is_some();
    let than = match value::lookup(subject.root, other) {
        Some(other) => value::size(other, number).to_string(),
        None => other.to_owned(),
    };
    let phrase = match direction {
        Comparison::Gt => "greater than",
        Comparison::Gte => "greater than or equal to",
        Comparison::Lt => "less than",
        Comparison::Lte => "less than or equal to",
    };
    match (kind, direction) {
        _ if number => format!("The {a} field must be {phrase} {than}."),
        (Kind::List, Comparison::Gt) => format!("The {a} field must have more than {than} items."),
        (Kind::List, Comparison::Gte) => format!("The {a} field must have {than} items or more."),
        (Kind::List, Comparison::Lt) => format!("The {a} field must have less than {than} items."),
        (Kind::List, Comparison::Lte) => {
            format!("The {a} field must not have more than {than} items.")
        }
        _ => format!("The {a} field must be {phrase} {than} characters."),
    }
}

/// A date stands as written; the name of a field is shown like any other.
fn display_date(text: &str) -> String {
    if crate::date::moment(text).is_some() {
        text.to_owned()
    } else {
        display_name(text)
    }
}

fn display_names(fields: &[String]) -> String {
    fields
        .iter()
        .map(|field| display_name(field))
        .collect::<Vec<_>>()
        .join(" / ")
}

fn display_value(value: &Value) -> String {
    match value {
        Value::Bool(yes) => yes.to_string(),
        Value::Null => "empty".to_owned(),
        other => value::as_text(other).unwrap_or_default().into_owned(),
    }
}
