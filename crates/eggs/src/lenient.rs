//! Reading values of which the type varies from file to file.

use serde_json::{Map, Value};

/// The text of a scalar. NUL is dropped: databases and environments cannot hold it.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(clean(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("1".to_owned()),
        Value::Bool(false) => Some("0".to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text without NUL.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "")
}

/// The text at a key; empty when there is none.
pub(crate) fn text_at(object: &Map<String, Value>, key: &str) -> String {
    object.get(key).and_then(text).unwrap_or_default()
}

/// The text at a key, if there is some.
pub(crate) fn some_text_at(object: &Map<String, Value>, key: &str) -> Option<String> {
    object
        .get(key)
        .and_then(text)
        .filter(|text| !text.trim().is_empty())
}

/// A switch: a boolean, zero or one, or one of these as text.
pub(crate) fn flag_at(object: &Map<String, Value>, key: &str) -> bool {
    match object.get(key) {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => matches!(text.as_str(), "1" | "true" | "yes" | "on"),
        _ => false,
    }
}

/// The texts of a list, of an object's values, or of the lines of a string.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    let mut found: Vec<String> = match value {
        Value::String(lines) => lines.lines().map(clean).collect(),
        Value::Array(items) => items.iter().filter_map(text).collect(),
        Value::Object(entries) => entries.values().filter_map(text).collect(),
        _ => Vec::new(),
    };
    found.retain(|text| !text.trim().is_empty());
    found
}

/// An object that may be written as JSON within a string. Nothing, an empty string and an empty
/// list are an empty object.
///
/// # Errors
/// Says why it is none.
pub(crate) fn nested_object(value: Option<&Value>) -> Result<Map<String, Value>, String> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object.clone()),
        Some(Value::Array(items)) if items.is_empty() => Ok(Map::new()),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(Map::new()),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_) | Value::Null)) => {
                nested_object(Some(&inner))
            }
            Ok(_) => Err("is not an object".to_owned()),
            Err(error) => Err(format!("is not valid JSON: {error}")),
        },
        Some(_) => Err("is not an object".to_owned()),
    }
}
