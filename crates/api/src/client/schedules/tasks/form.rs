//! The fields of a task, which are the same for a new one and for a replacement.

use std::sync::LazyLock;

use hatchery_app::schedules::{SaveTaskError, TaskForm};
use hatchery_rules::Fields;
use hatchery_vocab::TaskAction;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::client::schedules::form::counts_as_true;
use crate::kit::error::ApiError;
use crate::kit::input::Input;

/// The highest place that a task can be put at.
const LAST_PLACE: i64 = 1 << 31;

/// A task as it is to be.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "action": "command", "payload": "say The server restarts soon", "time_offset": 0,
    "continue_on_failure": false
}))]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(in crate::client::schedules) struct SaveTask {
    /// `command`, `power` or `backup`.
    action: String,
    /// The command, the power signal, or what the backup leaves out; only a backup needs none.
    payload: Option<String>,
    /// How many seconds after the task before it.
    #[schema(minimum = 0, maximum = 900)]
    time_offset: f64,
    /// Its place in the run; at the end when absent.
    #[schema(minimum = 1)]
    sequence_id: Option<i64>,
    /// Whether the run goes on when the node fails; `false` when absent.
    continue_on_failure: Option<bool>,
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("action", "required|in:command,power,backup")
        .field("payload", "required_unless:action,backup|string|nullable")
        .field("time_offset", "required|numeric|min:0|max:900")
        .field("sequence_id", "sometimes|required|numeric|min:1")
        .field("continue_on_failure", "sometimes|required|boolean")
});

pub(super) fn read(input: &Input) -> Result<TaskForm, ApiError> {
    input.check(&FIELDS)?;
    let action: TaskAction = input
        .required_text("action")
        .parse()
        .map_err(|error| ApiError::internal(&error))?;
    let offset = input.get("time_offset").and_then(number);
    Ok(TaskForm {
        // Fractions are cut off here, and rounded below (client-api.md §3.7.7).
        sequence_id: input
            .get("sequence_id")
            .and_then(number)
            .map(|place| (place as i64).min(LAST_PLACE)),
        action,
        payload: input.required_text("payload").to_owned(),
        time_offset: offset.unwrap_or_default().round() as u32,
        continue_on_failure: input.get("continue_on_failure").is_some_and(counts_as_true),
    })
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl From<SaveTaskError> for ApiError {
    fn from(error: SaveTaskError) -> Self {
        match error {
            SaveTaskError::LimitReached { limit } => Self::display(
                "ServiceLimitExceededException",
                format!(
                    "Schedules may not have more than {limit} tasks associated with them. \
                     Creating this task would put this schedule over the limit."
                ),
            ),
            SaveTaskError::NoBackups => Self::forbidden(
                "A backup task cannot be created when the server's backup limit is set to 0.",
            ),
            SaveTaskError::Gone => Self::not_found(),
            SaveTaskError::Store(error) => error.into(),
        }
    }
}
