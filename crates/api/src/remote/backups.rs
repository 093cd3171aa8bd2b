//! Backups (node-protocol.md §2.10).

use std::sync::LazyLock;

use axum::extract::{Path, State};
use hatchery_app::remote::BackupCallError;
use hatchery_app::{Cx, remote};
use hatchery_node_proto::{BackupReport, UploadAddresses, UploadedPart};
use hatchery_rules::Fields;
use hatchery_vocab::BackupUuid;
use http::StatusCode;
use serde_json::Value;

use super::caller::{Caller, Report};
use crate::kit::answer::{NoContent, Ok200};
use crate::kit::error::ApiError;
use crate::kit::input::{Query, truth};
use crate::kit::origin::ClientAddress;

static REPORT: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("successful", "required|boolean")
        .field("checksum", "nullable|string|required_if:successful,true")
        .field(
            "checksum_type",
            "nullable|string|required_if:successful,true",
        )
        .field("size", "nullable|numeric|required_if:successful,true")
        .field("parts", "nullable|array")
        .field("parts.*.etag", "required|string")
        .field("parts.*.part_number", "required|numeric")
});

/// `GET /api/remote/backups/{backup}?size=`
pub(super) async fn upload_addresses(
    State(cx): State<Cx>,
    Caller(node): Caller,
    Path(backup): Path<String>,
    query: Query,
) -> Result<Ok200<UploadAddresses>, ApiError> {
    let size = query.text("size").and_then(|size| size.parse().ok());
    let size = size.filter(|size| *size > 0).ok_or_else(|| {
        ApiError::bad_request("A non-empty \"size\" query parameter must be provided.")
    })?;
    match remote::upload_addresses(&cx, &node, uuid(&backup)?, size).await {
        Ok(addresses) => Ok(Ok200(addresses)),
        Err(BackupCallError::Completed) => Err(ApiError::new(
            StatusCode::CONFLICT,
            "ConflictHttpException",
            "This backup is already in a completed state.",
        )),
        Err(error) => Err(error.into()),
    }
}

/// `POST /api/remote/backups/{backup}`
pub(super) async fn report(
    State(cx): State<Cx>,
    Caller(node): Caller,
    ClientAddress(address): ClientAddress,
    Path(backup): Path<String>,
    Report(report): Report,
) -> Result<NoContent, ApiError> {
    REPORT.check(&report).map_err(ApiError::validation)?;
    let uuid = uuid(&backup)?;
    remote::report_backup(&cx, &node, address, uuid, read(&report)).await?;
    Ok(NoContent)
}

/// `POST /api/remote/backups/{backup}/restore`
pub(super) async fn report_restore(
    State(cx): State<Cx>,
    Caller(node): Caller,
    ClientAddress(address): ClientAddress,
    Path(backup): Path<String>,
    Report(report): Report,
) -> Result<NoContent, ApiError> {
    let successful = truth(report.get("successful"));
    remote::report_restore(&cx, &node, address, uuid(&backup)?, successful).await?;
    Ok(NoContent)
}

fn uuid(text: &str) -> Result<BackupUuid, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}

/// A report that has passed the rules.
fn read(report: &Value) -> BackupReport {
    let text = |value: &Value, name: &str| {
        let text = value.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let parts = match report.get("parts") {
        Some(Value::Array(parts)) => Some(parts.iter().collect::<Vec<_>>()),
        Some(Value::Object(parts)) => Some(parts.values().collect()),
        _ => None,
    };
    let part = |value: &Value| UploadedPart {
        etag: text(value, "etag"),
        part_number: u32::try_from(number(value.get("part_number"))).unwrap_or(u32::MAX),
    };
    BackupReport {
        checksum: text(report, "checksum"),
        checksum_type: text(report, "checksum_type"),
        size: number(report.get("size")),
        successful: truth(report.get("successful")),
        parts: parts.map(|parts| parts.into_iter().map(part).collect()),
    }
}

/// What the rule `numeric` accepts, as a whole number.
fn number(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::Number(number)) => number
            .as_u64()
            .or_else(|| number.as_f64().map(|number| number as u64))
            .unwrap_or_default(),
        Some(Value::String(text)) => text.trim().parse().unwrap_or_default(),
        _ => 0,
    }
}

impl From<BackupCallError> for ApiError {
    fn from(error: BackupCallError) -> Self {
        match error {
            BackupCallError::NotFound => Self::not_found(),
            BackupCallError::OtherNode => {
                Self::forbidden("You do not have permission to access that backup.")
            }
            BackupCallError::Completed => Self::bad_request(
                "Cannot update the status of a backup that is already marked as completed.",
            ),
            BackupCallError::NoBucket => {
                Self::bad_request("The configured backup adapter is not an S3 compatible adapter.")
            }
            BackupCallError::TooLarge => {
                Self::bad_request("The archive is too large for the bucket.")
            }
            BackupCallError::Incomplete(_) => {
                Self::bad_request("The bucket did not complete the upload.")
            }
            BackupCallError::Bucket(error) => Self::bad_gateway(&error),
            BackupCallError::Store(error) => error.into(),
        }
    }
}
