//! Installations (node-protocol.md §2.6).

use std::sync::LazyLock;

use axum::extract::{Path, State};
use hatchery_app::{Cx, remote};
use hatchery_node_proto::{InstallReport, InstallScript};
use hatchery_rules::Fields;

use super::caller::{Caller, Report};
use crate::kit::answer::{NoContent, Ok200};
use crate::kit::error::ApiError;
use crate::kit::input::truth;

static REPORT: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("successful", "present|boolean")
        .field("reinstall", "sometimes|boolean")
});

/// `GET /api/remote/servers/{server}/install`
pub(super) async fn script(
    State(cx): State<Cx>,
    Caller(node): Caller,
    Path(server): Path<String>,
) -> Result<Ok200<InstallScript>, ApiError> {
    let server = remote::server(&cx, &node, &server)
        .await?
        .ok_or_else(ApiError::not_found)?;
    Ok(Ok200(remote::install_script(&server)))
}

/// `POST /api/remote/servers/{server}/install`
pub(super) async fn report(
    State(cx): State<Cx>,
    Caller(node): Caller,
    Path(server): Path<String>,
    Report(report): Report,
) -> Result<NoContent, ApiError> {
    let server = remote::server(&cx, &node, &server)
        .await?
        .ok_or_else(ApiError::not_found)?;
    REPORT.check(&report).map_err(ApiError::validation)?;
    let flag = |name| truth(report.get(name));
    let report = InstallReport {
        successful: flag("successful"),
        reinstall: flag("reinstall"),
    };
    if remote::report_install(&cx, &node, &server, report).await? {
        Ok(NoContent)
    } else {
        Err(ApiError::not_found())
    }
}
