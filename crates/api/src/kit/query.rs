//! `include`, `filter` and `sort` (client-api.md §1.14).

use std::cmp::Ordering;

use serde_json::Value;

use super::error::ApiError;
use super::input::Query;

/// What a request wants to see beside the resource itself.
#[derive(Clone, Debug, Default)]
pub struct Includes(Vec<String>);

impl Includes {
    /// Reads `include=a,b` or `include[]=a&include[]=b`.
    pub fn read(query: &Query) -> Self {
        let names = texts(query.get("include"));
        Self(
            names
                .iter()
                .flat_map(|names| names.split(','))
                .map(|name| name.trim().to_owned())
                .collect(),
        )
    }

    /// Whether this one is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.0.iter().any(|included| included == name)
    }

    /// Whether none of these is wanted.
    pub fn wants_none_of(&self, names: &[&str]) -> bool {
        !names.iter().any(|name| self.wants(name))
    }
}

/// One condition of a `filter[…]`: the field, and the values of which one must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The field.
    pub name: String,
    /// Never empty.
    pub values: Vec<String>,
}

/// What names other than the known ones mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// 400, as on the lists where the reference knows the parameter.
    Refused,
    /// Nothing, as everywhere else.
    Ignored,
}

/// How many alternatives a filter takes where the database looks for them: each costs something on
/// every row.
const MAX_ALTERNATIVES: usize = 100;

/// Reads `filter[name]=a,b`. Conditions without a value are none at all; the value of `*` is one
/// text, commas included.
pub fn filters(query: &Query, allowed: &[&str], unknown: Unknown) -> Result<Vec<Filter>, ApiError> {
    let Some(Value::Object(wanted)) = query.get("filter") else {
        return Ok(Vec::new());
    };
    let strangers: Vec<&str> = wanted
        .keys()
        .map(String::as_str)
        .filter(|name| !allowed.contains(name))
        .collect();
    if unknown == Unknown::Refused && !strangers.is_empty() {
        return Err(ApiError::display(
            "InvalidFilterQuery",
            format!(
                "Requested filter(s) `{}` are not allowed. Allowed filter(s) are `{}`.",
                strangers.join(", "),
                allowed.join(", ")
            ),
        ));
    }
    let known = wanted
        .iter()
        .filter(|(name, _)| allowed.contains(&name.as_str()));
    let conditions = known.map(|(name, value)| {
        let values = texts(Some(value));
        let values: Vec<String> = if name == "*" {
            values
        } else {
            values
                .iter()
                .flat_map(|value| value.split(','))
                .map(literal)
                .collect()
        };
        // One empty alternative matches everything, and so does no alternative.
        let everything = values.iter().any(String::is_empty);
        Filter {
            name: name.clone(),
            values: if everything { Vec::new() } else { values },
        }
    });
    let conditions: Vec<Filter> = conditions
        .filter(|condition| !condition.values.is_empty())
        .collect();
    let too_long = |condition: &&Filter| {
        unknown == Unknown::Refused && condition.values.len() > MAX_ALTERNATIVES
    };
    match conditions.iter().find(too_long) {
        Some(long) => Err(ApiError::display(
            "InvalidFilterQuery",
            format!(
                "The filter `{}` takes at most {MAX_ALTERNATIVES} values.",
                long.name
            ),
        )),
        None => Ok(conditions),
    }
}

/// The reference reads these two words as booleans, which match as `1` and as everything.
fn literal(value: &str) -> String {
    match value.trim() {
        "true" => "1".to_owned(),
        "false" => String::new(),
        other => other.to_owned(),
    }
}

/// One key of a `sort`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The field.
    pub name: String,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// Turns an ordering around where the largest comes first.
    pub fn apply(&self, ordering: Ordering) -> Ordering {
        if self.descending {
            ordering.reverse()
        } else {
            ordering
        }
    }
}

/// Reads `sort=a,-b`. A field that was named before decides nothing any more and is left out.
pub fn sorts(query: &Query, allowed: &[&str], unknown: Unknown) -> Result<Vec<Sort>, ApiError> {
    let names = texts(query.get("sort"));
    let wanted = names
        .iter()
        .flat_map(|names| names.split(','))
        .map(str::trim);
    let wanted = wanted
        .filter(|name| !name.is_empty())
        .map(|name| match name.strip_prefix('-') {
            Some(name) => Sort {
                name: name.to_owned(),
                descending: true,
            },
            None => Sort {
                name: name.to_owned(),
                descending: false,
            },
        });
    let (mut known, mut strangers) = (Vec::<Sort>::new(), Vec::<Sort>::new());
    for sort in wanted {
        if !allowed.contains(&sort.name.as_str()) {
            strangers.push(sort);
        } else if known.iter().all(|known| known.name != sort.name) {
            known.push(sort);
        }
    }
    if unknown == Unknown::Refused && !strangers.is_empty() {
        let names: Vec<&str> = strangers.iter().map(|sort| sort.name.as_str()).collect();
        return Err(ApiError::display(
            "InvalidSortQuery",
            format!(
                "Requested sort(s) `{}` is not allowed. Allowed sort(s) are `{}`.",
                names.join(", "),
                allowed.join(", ")
            ),
        ));
    }
    Ok(known)
}

/// A text, or the texts of a list.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}
