//! What a JSON value is in the eyes of the rules, which were made for a language of loose types
//! (client-api.md §1.11).

use std::borrow::Cow;

use serde_json::{Number, Value};

/// The value as text; `None` for lists and objects.
pub(crate) fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number_text(number))),
        Value::Bool(true) => Some(Cow::Borrowed("1")),
        Value::Bool(false) | Value::Null => Some(Cow::Borrowed("")),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of a string or number: what the rules about characters accept.
pub(crate) fn characters(value: &Value) -> Option<Cow<'_, str>> {
    if value.is_string() || value.is_number() {
        as_text(value)
    } else {
        None
    }
}

/// A number's text; a whole number has no fraction, however it was written.
fn number_text(number: &Number) -> String {
    let text = number.to_string();
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// The number that a value is or spells. Space around it is allowed, as are a sign, a fraction and
/// an exponent; other bases, infinities and booleans are not.
pub(crate) fn numeric(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => numeric_text(text),
        _ => None,
    }
}

/// [`numeric`] for text.
pub(crate) fn numeric_text(text: &str) -> Option<f64> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let starts = text
        .trim_start_matches(['+', '-'])
        .starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if starts { text.parse().ok() } else { None }
}

/// Whether the value is a whole number of 64 bits or spells one without leading zeros.
pub(crate) fn is_integer(value: &Value) -> bool {
    let Some(text) = as_text(value) else {
        return false;
    };
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = digits == "0" || !digits.starts_with('0');
    plain && digits.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_ok()
}

/// Exactly `true`, `false`, `1`, `0`, `"1"` and `"0"`.
pub(crate) fn is_boolean(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Number(number) => matches!(number.as_i64(), Some(0 | 1)),
        Value::String(text) => text == "0" || text == "1",
        _ => false,
    }
}

/// Whether PHP takes a value for true.
pub(crate) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty() && text != "0",
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

/// Whether `required` counts the value as missing.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The size that `min`, `max`, `between` and `size` measure: the number when the field's rules are
/// about numbers, else the count of items or characters.
pub(crate) fn size(value: &Value, as_number: bool) -> f64 {
    if let Some(number) = as_number.then(|| numeric(value)).flatten() {
        return number;
    }
    match value {
        Value::Array(items) => items.len() as f64,
        Value::Object(entries) => entries.len() as f64,
        other => as_text(other).map_or(0.0, |text| text.chars().count() as f64),
    }
}

/// Whether two values are equal when both are read as text.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (as_text(left), as_text(right)) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

/// The value at a dotted path such as `files.0.to`.
pub(crate) fn lookup<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(root, |value, segment| match value {
            Value::Object(entries) => entries.get(segment),
            Value::Array(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn loose_types() {
        for value in [
            json!(1),
            json!("1"),
            json!("-7"),
            json!(10.0),
            json!("0"),
            json!(true),
            json!(" 5 "),
        ] {
            assert!(is_integer(&value), "{value}");
        }
        for value in [
            json!("1.0"),
            json!("01"),
            json!(1.5),
            json!(""),
            json!(null),
            json!([1]),
            json!("9223372036854775808"),
            json!("+"),
        ] {
            assert!(!is_integer(&value), "{value}");
        }
        for value in [
            json!("10"),
            json!(1.5),
            json!(".5"),
            json!("5."),
            json!("-1e3"),
            json!(" 7"),
        ] {
            assert!(numeric(&value).is_some(), "{value}");
        }
        for value in [
            json!("0x1"),
            json!("inf"),
            json!("NaN"),
            json!(""),
            json!("1a"),
            json!(true),
            json!("-"),
            json!("."),
        ] {
            assert!(numeric(&value).is_none(), "{value}");
        }
        for value in [json!(true), json!(0), json!("1")] {
            assert!(is_boolean(&value), "{value}");
        }
        for value in [
            json!("true"),
            json!("on"),
            json!(1.0),
            json!(2),
            json!(null),
        ] {
            assert!(!is_boolean(&value), "{value}");
        }
    }
}
