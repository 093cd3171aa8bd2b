//! `POST …/backups/{backup}/lock`.

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, backups};
use hatchery_wire::Item;
use hatchery_wire::client::Backup;

use super::{BackupPath, OneBackup, shown};
use crate::client::documented::ServerErrors;
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;

/// Lock or unlock a backup
///
/// Locks one that is not, unlocks one that is. A locked backup can be neither deleted nor rotated
/// out.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/backups/{backup}/lock",
    operation_id = "lockBackup",
    tag = "backups",
    params(BackupPath),
    responses((status = 200, body = Item<Backup>), ServerErrors)
)]
pub(crate) async fn lock_backup(
    State(cx): State<Cx>,
    ServerWith(access, OneBackup(backup)): ServerWith<OneBackup, needs::BackupDelete>,
) -> Result<Ok200<Item<Backup>>, ApiError> {
    let toggled = backups::toggle_lock(&cx, &access, &backup).await?;
    let toggled = toggled.ok_or_else(ApiError::not_found)?;
    Ok(Ok200(shown(toggled).into()))
}
