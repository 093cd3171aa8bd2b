//! `POST …/backups/{backup}/restore`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::{Conflict, needs};
use hatchery_app::backups::{self, RestoreError};
use hatchery_rules::Fields;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{BackupPath, OneBackup, UNKNOWN_KEEPER};
use crate::client::documented::ServerErrors;
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::ServerWith;

/// How a backup is put back.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the field is checked by its rules"
)]
pub(crate) struct RestoreBackup {
    /// Whether all files of the server are deleted first.
    truncate: bool,
}

static RESTORE: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("truncate", "required|boolean"));

/// Restore a backup
///
/// The server is stopped, and can only be looked at until the backup is put back.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/backups/{backup}/restore",
    operation_id = "restoreBackup",
    tag = "backups",
    params(BackupPath),
    request_body = RestoreBackup,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn restore_backup(
    State(cx): State<Cx>,
    ServerWith(access, OneBackup(backup)): ServerWith<OneBackup, needs::BackupRestore>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&RESTORE)?;
    let as_sent = input.get("truncate").cloned().unwrap_or_default();
    backups::restore(&cx, &access, &backup, input.truth("truncate"), as_sent).await?;
    Ok(NoContent)
}

impl From<RestoreError> for ApiError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::ServerState => Self::bad_request(
                "This server is not currently in a state that allows for a backup to be restored.",
            ),
            RestoreError::Restoring => Conflict::Restoring.into(),
            RestoreError::NotCompleted => Self::bad_request(
                "This backup cannot be restored at this time: not completed or failed.",
            ),
            RestoreError::UnknownKeeper => Self::bad_request(UNKNOWN_KEEPER),
            RestoreError::Node(error) => error.into(),
            RestoreError::Store(error) => error.into(),
        }
    }
}
