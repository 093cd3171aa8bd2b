//! `GET …/backups/{backup}/download`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::backups::{self, DownloadError};
use hatchery_wire::Item;
use hatchery_wire::client::SignedUrl;

use super::{BackupPath, OneBackup, UNKNOWN_KEEPER};
use crate::client::documented::ServerErrors;
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::origin::Here;
use crate::kit::server::ServerWith;

/// Download a backup
///
/// An address from which the archive can be fetched without a key: once within 15 minutes from a
/// node, within 5 minutes from a bucket.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/backups/{backup}/download",
    operation_id = "downloadBackup",
    tag = "backups",
    params(BackupPath),
    responses((status = 200, body = Item<SignedUrl>), ServerErrors)
)]
pub(crate) async fn download_backup(
    State(cx): State<Cx>,
    ServerWith(access, OneBackup(backup)): ServerWith<OneBackup, needs::BackupDownload>,
    here: Here,
) -> Result<Ok200<Item<SignedUrl>>, ApiError> {
    let url = backups::download_link(&cx, &access, &backup, here.panel(&cx))?;
    Ok(Ok200(SignedUrl { url }.into()))
}

impl From<DownloadError> for ApiError {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::UnknownKeeper => Self::bad_request(UNKNOWN_KEEPER),
            DownloadError::Node(error) => error.into(),
        }
    }
}
