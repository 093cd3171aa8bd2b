//! Backups of a server.

use axum_core::body::Body;
use hatchery_vocab::{BackupUuid, ServerUuid};
use http::Method;

use super::{NodeClient, TOTAL_TIMEOUT};
use crate::{CreateBackup, NodeError, RestoreBackup};

impl NodeClient {
    /// Has the node begin a backup; it reports to the panel when it has ended.
    pub async fn create_backup(
        &self,
        server: ServerUuid,
        backup: &CreateBackup,
    ) -> Result<(), NodeError> {
        self.post(format!("/api/servers/{server}/backup"), backup)
            .await
    }

    /// Has the node begin to put a backup back; it reports to the panel when it has ended.
    pub async fn restore_backup(
        &self,
        server: ServerUuid,
        backup: BackupUuid,
        how: &RestoreBackup,
    ) -> Result<(), NodeError> {
        self.post(
            format!("/api/servers/{server}/backup/{backup}/restore"),
            how,
        )
        .await
    }

    /// Deletes a backup that the node keeps.
    pub async fn delete_backup(
        &self,
        server: ServerUuid,
        backup: BackupUuid,
    ) -> Result<(), NodeError> {
        self.call(
            Method::DELETE,
            format!("/api/servers/{server}/backup/{backup}"),
            Body::empty(),
            TOTAL_TIMEOUT,
        )
        .await
        .map(drop)
    }
}
