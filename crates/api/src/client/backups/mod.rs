//! `/servers/{server}/backups`: one file per route.

mod create;
mod delete;
mod download;
mod list;
mod lock;
mod restore;
mod view;

use hatchery_app::{Cx, backups};
use hatchery_store::ServerSnapshot;
use hatchery_wire::client::Backup;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;
use crate::kit::actor::Segments;
use crate::kit::error::ApiError;
use crate::kit::server::Child;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list::list_backups, create::create_backup))
        .routes(routes!(view::view_backup, delete::delete_backup))
        .routes(routes!(download::download_backup))
        .routes(routes!(lock::lock_backup))
        .routes(routes!(restore::restore_backup))
}

/// The backup that an address names.
pub(crate) struct OneBackup(hatchery_store::Backup);

impl Child for OneBackup {
    async fn find(cx: &Cx, server: &ServerSnapshot, segments: &Segments) -> Result<Self, ApiError> {
        let uuid = segments.get("backup").and_then(|uuid| uuid.parse().ok());
        let found = match uuid {
            Some(uuid) => backups::find(cx, server, uuid).await?,
            None => None,
        };
        found.map(Self).ok_or_else(ApiError::not_found)
    }
}

/// The server and the backup of a route.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described, never made")]
struct BackupPath {
    /// The server's UUID, or the first eight characters of it.
    server: String,
    /// The backup's UUID.
    backup: String,
}

fn shown(backup: hatchery_store::Backup) -> Backup {
    Backup {
        uuid: backup.uuid.to_string(),
        is_successful: backup.is_successful,
        is_locked: backup.is_locked,
        name: backup.name,
        ignored_files: backup.ignored_files,
        checksum: backup.checksum,
        bytes: backup.bytes,
        created_at: backup.created_at.iso_utc(),
        completed_at: backup.completed_at.map(hatchery_vocab::Timestamp::iso_utc),
    }
}

const UNKNOWN_KEEPER: &str =
    "The backup requested references an unknown disk driver type and cannot be downloaded.";
