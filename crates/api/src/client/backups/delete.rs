//! `DELETE …/backups/{backup}`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::backups::{self, DeleteError};

use super::{BackupPath, OneBackup, UNKNOWN_KEEPER};
use crate::client::documented::ServerErrors;
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;

/// Delete a backup
#[utoipa::path(
    delete,
    path = "/api/client/servers/{server}/backups/{backup}",
    operation_id = "deleteBackup",
    tag = "backups",
    params(BackupPath),
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn delete_backup(
    State(cx): State<Cx>,
    ServerWith(access, OneBackup(backup)): ServerWith<OneBackup, needs::BackupDelete>,
) -> Result<NoContent, ApiError> {
    backups::delete(&cx, &access, &backup).await?;
    Ok(NoContent)
}

impl From<DeleteError> for ApiError {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Locked => Self::display(
                "BackupLockedException",
                "Cannot delete a backup that is marked as locked.",
            ),
            DeleteError::UnknownKeeper => Self::bad_request(UNKNOWN_KEEPER),
            DeleteError::Node(error) => error.into(),
            DeleteError::Bucket(error) => Self::bad_gateway(&error),
            DeleteError::Store(error) => error.into(),
        }
    }
}
