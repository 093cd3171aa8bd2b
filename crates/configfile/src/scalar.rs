//! Values as text, and conditions on them.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::{EditError, Replacement};

/// The largest compiled pattern, in bytes.
const COMPILED_LIMIT: usize = 1 << 20;

/// A value's text where a format has only text; null and structures have none.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// A condition on the present value.
#[derive(Debug)]
pub(crate) enum Condition {
    /// There is none.
    Always,
    /// The value has exactly this text.
    Equals(String),
    /// The value matches.
    Matches(Regex),
}

impl Condition {
    /// The condition of a replacement.
    pub(crate) fn of(replacement: &Replacement) -> Result<Self, EditError> {
        let Some(condition) = &replacement.if_value else {
            return Ok(Self::Always);
        };
        match condition.strip_prefix("regex:") {
            None => Ok(Self::Equals(condition.clone())),
            Some(pattern) => RegexBuilder::new(pattern)
                .size_limit(COMPILED_LIMIT)
                .build()
                .map(Self::Matches)
                .map_err(|_| EditError::Pattern(pattern.to_owned())),
        }
    }

    /// Whether something may be made where there is nothing.
    pub(crate) const fn allows_missing(&self) -> bool {
        matches!(self, Self::Always)
    }

    /// The value to put where `present` stands; `None` leaves it.
    pub(crate) fn apply(&self, present: &str, new: &Value) -> Option<Value> {
        match self {
            Self::Always => Some(new.clone()),
            Self::Equals(expected) => (present == expected).then(|| new.clone()),
            Self::Matches(pattern) if !pattern.is_match(present) => None,
            Self::Matches(pattern) => Some(match new {
                Value::String(new) => {
                    Value::String(pattern.replace_all(present, new.as_str()).into_owned())
                }
                other => other.clone(),
            }),
        }
    }
}
