//! The fields of a schedule, which are the same for a new one and for a replacement.

use std::sync::LazyLock;

use hatchery_app::schedules::{SaveError, ScheduleForm};
use hatchery_rules::Fields;
use hatchery_store::CronText;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::kit::error::ApiError;
use crate::kit::input::Input;

/// A schedule as it is to be.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "name": "Nightly restart", "is_active": true, "only_when_online": false,
    "minute": "30", "hour": "4", "day_of_month": "*", "month": "*", "day_of_week": "MON-FRI"
}))]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(super) struct SaveSchedule {
    /// What people call it.
    #[schema(max_length = 191)]
    name: String,
    /// Whether it runs by itself; `false` when absent.
    is_active: Option<bool>,
    /// Whether it does nothing while the server is off; `false` when absent.
    only_when_online: Option<bool>,
    /// Minutes.
    minute: String,
    /// Hours.
    hour: String,
    /// Days of the month; `L` is the last one, `15W` the workday nearest to the 15th.
    day_of_month: String,
    /// Months, by number or name.
    month: String,
    /// Days of the week, by number or name; `5#2` is the second Friday, `5L` the last one.
    day_of_week: String,
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("name", "required|string|max:191")
        .field("is_active", "filled|boolean")
        .field("minute", "required|string")
        .field("hour", "required|string")
        .field("day_of_month", "required|string")
        .field("day_of_week", "required|string")
});

/// The reference has no rule for the month and crashes without one; it tells of everything else
/// first (client-api.md §3.7.2).
static MONTH: LazyLock<Fields> = LazyLock::new(|| Fields::new().field("month", "required|string"));

pub(super) fn read(input: &Input) -> Result<ScheduleForm, ApiError> {
    input.check(&FIELDS)?;
    input.check(&MONTH)?;
    let text = |name| input.required_text(name).to_owned();
    Ok(ScheduleForm {
        name: text("name"),
        cron: CronText {
            minute: text("minute"),
            hour: text("hour"),
            day_of_month: text("day_of_month"),
            month: text("month"),
            day_of_week: text("day_of_week"),
        },
        is_active: input.get("is_active").is_some_and(counts_as_true),
        only_when_online: input.get("only_when_online").is_some_and(counts_as_true),
    })
}

/// Whether PHP takes a value for true.
pub(super) fn counts_as_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.as_str(), "" | "0"),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

impl From<SaveError> for ApiError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Cron(_) => Self::display(
                "DisplayException",
                "The cron data provided does not evaluate to a valid expression.",
            ),
            SaveError::Store(error) => error.into(),
        }
    }
}
