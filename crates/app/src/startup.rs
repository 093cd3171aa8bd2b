//! How a server starts: the command with its placeholders replaced (client-api.md §4.1.2), and the
//! variables that people may change (§3.11.2). A node learns of a change when it starts the server.

use hatchery_rules::{FieldError, Rule, RuleSet};
use hatchery_store::{EggVariable, StoreError, Subject};
use serde_json::Value;

use crate::Cx;
use crate::access::{Access, needs};
use crate::activity::Event;

/// A variable as far as a start command needs it.
#[derive(Clone, Copy, Debug)]
pub struct Placeholder<'a> {
    /// The name between the braces.
    pub name: &'a str,
    /// What takes its place.
    pub value: &'a str,
}

/// What takes the place of a value that the reader may not see.
pub const HIDDEN: &str = "[hidden]";

/// Replaces each placeholder literally and in order. Unknown ones stay.
///
/// A value is looked through for later placeholders, as in the reference: variables that name
/// other variables are common in published eggs, and nothing secret can be reached that way, since
/// a hidden value takes part as [`HIDDEN`].
pub fn invocation<'a>(
    template: &str,
    placeholders: impl IntoIterator<Item = Placeholder<'a>>,
) -> String {
    let mut command = template.to_owned();
    let mut marker = String::new();
    for Placeholder { name, value } in placeholders {
        marker.clear();
        marker.extend(["{{", name, "}}"]);
        if command.contains(&marker) {
            command = command.replace(&marker, value);
        }
    }
    command
}

/// How long a value may be, in characters. The reference fails above it.
const MAX_VALUE: usize = 65_535;

/// Why a variable was not changed.
#[derive(Debug, thiserror::Error)]
pub enum VariableError {
    /// The egg has no such variable, or people may not see it.
    #[error("there is no such variable")]
    Unknown,
    /// People may not change it.
    #[error("the variable is read-only")]
    ReadOnly,
    /// The value breaks the variable's rules.
    #[error("the value breaks the rules of the variable")]
    Invalid(Vec<FieldError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A variable that was changed.
#[derive(Debug)]
pub struct Changed {
    /// The variable.
    pub variable: EggVariable,
    /// Its value as it was sent: nothing where nothing was.
    pub value: Option<String>,
}

/// Gives a server a value of its own for a variable of its egg. Names are compared without regard
/// to case, as the reference's database does.
pub async fn set_variable(
    cx: &Cx,
    access: &Access<needs::StartupUpdate>,
    name: &str,
    value: &Value,
) -> Result<Changed, VariableError> {
    let server = &access.server;
    let exactly = |(variable, _): &(&EggVariable, _)| variable.env_variable == name;
    let roughly =
        |(variable, _): &(&EggVariable, _)| variable.env_variable.eq_ignore_ascii_case(name);
    let (variable, old) = server
        .variables()
        .find(exactly)
        .or_else(|| server.variables().find(roughly))
        .filter(|(variable, _)| variable.user_viewable)
        .ok_or(VariableError::Unknown)?;
    if !variable.user_editable {
        return Err(VariableError::ReadOnly);
    }
    let value = checked(variable, value).map_err(VariableError::Invalid)?;
    let mut tx = cx.store().begin().await?;
    let stored = value.as_deref().unwrap_or_default();
    if !tx
        .set_server_variable(server.id, variable.id, stored)
        .await?
    {
        return Err(VariableError::Unknown);
    }
    tx.commit().await?;
    Event::new("server:startup.edit")
        .with("variable", variable.env_variable.as_str())
        .with("old", old)
        .with("new", value.as_deref())
        .about(Subject::EggVariable(variable.id))
        .on_server(cx, access);
    Ok(Changed {
        variable: variable.clone(),
        value,
    })
}

/// The text of a value that keeps the variable's rules. Numbers and booleans are taken by their
/// text, since an environment knows nothing else.
fn checked(variable: &EggVariable, value: &Value) -> Result<Option<String>, Vec<FieldError>> {
    const FIELD: &str = "value";
    RuleSet::parse(&variable.rules).check_value(FIELD, value)?;
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Number(number) => number.to_string(),
        Value::Array(_) | Value::Object(_) => {
            RuleSet::default()
                .and(Rule::String)
                .check_value(FIELD, value)?;
            return Ok(None);
        }
    };
    RuleSet::parse(&format!("string|max:{MAX_VALUE}")).check_value(FIELD, &text.as_str().into())?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_literally_and_in_order() {
        let placeholders = [
            ("SERVER_MEMORY", "512"),
            ("A", "{{B}}"),
            ("B", "x"),
            ("C", HIDDEN),
        ]
        .map(|(name, value)| Placeholder { name, value });
        assert_eq!(
            invocation(
                "run -m {{SERVER_MEMORY}} {{A}} {{ B }} {{C}} {{D}}",
                placeholders
            ),
            "run -m 512 x {{ B }} [hidden] {{D}}"
        );
    }
}
