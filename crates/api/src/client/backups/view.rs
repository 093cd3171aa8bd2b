//! `GET …/backups/{backup}`.

use hatchery_app::access::needs;
use hatchery_wire::Item;
use hatchery_wire::client::Backup;

use super::{BackupPath, OneBackup, shown};
use crate::client::documented::ServerErrors;
use crate::kit::answer::Ok200;
use crate::kit::server::ServerWith;

/// View a backup
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/backups/{backup}",
    operation_id = "viewBackup",
    tag = "backups",
    params(BackupPath),
    responses((status = 200, body = Item<Backup>), ServerErrors)
)]
pub(crate) async fn view_backup(
    one: ServerWith<OneBackup, needs::BackupRead>,
) -> Ok200<Item<Backup>> {
    let ServerWith(_, OneBackup(backup)) = one;
    Ok200(shown(backup).into())
}
