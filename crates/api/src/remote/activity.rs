//! What people did on a node (node-protocol.md §2.9).

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::remote::Reported;
use hatchery_app::{Cx, remote};
use hatchery_rules::Fields;
use http::StatusCode;
use serde_json::{Map, Value};

use super::caller::{Caller, Report};
use crate::kit::error::ApiError;

static REPORT: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("data", "required|array")
        .field("data.*", "array")
        .field("data.*.user", "nullable|uuid")
        .field("data.*.server", "required|uuid")
        .field("data.*.event", "required|string|max:191")
        .field("data.*.metadata", "present|nullable|array")
        .field("data.*.ip", "nullable|ip")
        .field("data.*.timestamp", "required|string")
});

/// `POST /api/remote/activity`
pub(super) async fn record(
    State(cx): State<Cx>,
    Caller(node): Caller,
    Report(report): Report,
) -> Result<StatusCode, ApiError> {
    REPORT.check(&report).map_err(ApiError::validation)?;
    let entries = match report {
        Value::Object(mut report) => report.remove("data"),
        _ => None,
    };
    let entries: Vec<Value> = match entries {
        Some(Value::Array(entries)) => entries,
        Some(Value::Object(entries)) => entries.into_iter().map(|(_, entry)| entry).collect(),
        _ => Vec::new(),
    };
    remote::record(
        &cx,
        &node,
        entries.into_iter().filter_map(reported).collect(),
    )
    .await?;
    Ok(StatusCode::OK)
}

/// An entry that has passed the rules.
fn reported(mut entry: Value) -> Option<Reported> {
    let text =
        |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let metadata = match entry.get_mut("metadata").map(Value::take) {
        Some(Value::Object(details)) => details,
        Some(Value::Array(items)) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| (index.to_string(), item))
            .collect(),
        _ => Map::new(),
    };
    Some(Reported {
        user: text(&entry, "user").and_then(|user| user.parse().ok()),
        server: text(&entry, "server")?.parse().ok()?,
        event: text(&entry, "event")?,
        metadata,
        ip: text(&entry, "ip"),
        timestamp: text(&entry, "timestamp")?,
    })
}
