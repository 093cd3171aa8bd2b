//! Backups: rows about archives that a node or a bucket keeps.

use hatchery_vocab::{BackupId, BackupUuid, ServerId, Timestamp};

use crate::sql::{Cells, Json, cell, params, read_all, read_opt};
use crate::{Page, Store, StoreError, Tx};

/// A backup of a server's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The row.
    pub id: BackupId,
    /// Whose files.
    pub server_id: ServerId,
    /// The public id.
    pub uuid: BackupUuid,
    /// Its name.
    pub name: String,
    /// What was left out, as patterns.
    pub ignored_files: Vec<String>,
    /// The adapter that keeps it, `wings` or `s3`; an import may bring others.
    pub disk: String,
    /// The upload that a bucket knows it by while it is being made.
    pub upload_id: Option<String>,
    /// Whether it was completed without a failure.
    pub is_successful: bool,
    /// Whether it can be neither deleted nor rotated out.
    pub is_locked: bool,
    /// `<type>:<hex>`.
    pub checksum: Option<String>,
    /// How long the archive is.
    pub bytes: u64,
    /// When it ended, well or not.
    pub completed_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// What it takes to create a backup.
#[derive(Clone, Debug)]
pub struct NewBackup {
    /// Whose files.
    pub server_id: ServerId,
    /// Its name.
    pub name: String,
    /// What is to be left out.
    pub ignored_files: Vec<String>,
    /// The adapter.
    pub disk: String,
    /// Whether it is locked from the start.
    pub is_locked: bool,
}

/// How a backup ended.
#[derive(Clone, Debug)]
pub enum BackupOutcome {
    /// There is an archive.
    Made {
        /// `<type>:<hex>`.
        checksum: String,
        /// How long it is.
        bytes: u64,
    },
    /// There is none.
    Failed,
}

/// A page of a server's backups.
#[derive(Clone, Debug)]
pub struct BackupPage {
    /// How many backups the server has, failed ones included.
    pub total: u64,
    /// How many of them have not failed.
    pub kept: u64,
    /// The backups of the page, oldest first.
    pub items: Vec<Backup>,
}

/// What decides whether a server may have one more backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupUsage {
    /// How many it may have.
    pub limit: u32,
    /// How many it has that have not failed.
    pub kept: u64,
    /// How many were created since the moment that was asked about and have not failed, deleted
    /// ones included.
    pub recent: u64,
    /// When the newest of those was created.
    pub newest: Option<Timestamp>,
}

const COLUMNS: &str = "id, server_id, uuid, name, ignored_files, disk, upload_id, is_successful,
    is_locked, checksum, bytes, completed_at, created_at, deleted_at";

/// Successful or still being made.
const NOT_FAILED: &str = "(is_successful OR completed_at IS NULL)";

fn read(cells: &mut Cells) -> Result<Backup, StoreError> {
    Ok(Backup {
        id: cells.take()?,
        server_id: cells.take()?,
        uuid: cells.take()?,
        name: cells.take()?,
        ignored_files: cells.take::<Json<_>>()?.0,
        disk: cells.take()?,
        upload_id: cells.take()?,
        is_successful: cells.take()?,
        is_locked: cells.take()?,
        checksum: cells.take()?,
        bytes: cells.take()?,
        completed_at: cells.take()?,
        created_at: cells.take()?,
        deleted_at: cells.take()?,
    })
}

impl Store {
    /// A server's backup that was not deleted.
    pub async fn backup(
        &self,
        server: ServerId,
        uuid: BackupUuid,
    ) -> Result<Option<Backup>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM backups WHERE uuid = $1 AND server_id = $2 AND deleted_at IS NULL"
        );
        read_opt(self.db().opt(&sql, &params![uuid, server]).await?, read)
    }

    /// A backup, deleted or not, whosever it is: for nodes, which name no server.
    pub async fn backup_of_any_server(
        &self,
        uuid: BackupUuid,
    ) -> Result<Option<Backup>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM backups WHERE uuid = $1");
        read_opt(self.db().opt(&sql, &params![uuid]).await?, read)
    }

    /// A page of a server's backups that were not deleted.
    pub async fn backups_of(&self, server: ServerId, page: Page) -> Result<BackupPage, StoreError> {
        let sql = format!(
            "SELECT COUNT(*), COUNT(CASE WHEN {NOT_FAILED} THEN 1 END)
             FROM backups WHERE server_id = $1 AND deleted_at IS NULL"
        );
        let row = self.db().one(&sql, &params![server]).await?;
        let mut counts = Cells::new(row);
        let (total, kept) = (counts.take()?, counts.take()?);
        let sql = format!(
            "SELECT {COLUMNS} FROM backups WHERE server_id = $1 AND deleted_at IS NULL
             ORDER BY id LIMIT $2 OFFSET $3"
        );
        let rows = self
            .db()
            .few(&sql, &params![server, page.size, page.offset()])
            .await?;
        Ok(BackupPage {
            total,
            kept,
            items: read_all(rows, read)?,
        })
    }

    /// Backups that have been going on since before a moment.
    pub async fn unfinished_backups(
        &self,
        created_before: Timestamp,
    ) -> Result<Vec<Backup>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM backups WHERE completed_at IS NULL AND deleted_at IS NULL
               AND created_at < $1 ORDER BY id"
        );
        read_all(self.db().few(&sql, &params![created_before]).await?, read)
    }
}

impl Tx {
    /// What a server uses of its backup limit, counting recent ones since `since`. Two transactions
    /// that ask come one after the other on PostgreSQL too. Nothing for a server that is gone.
    pub async fn backup_usage(
        &mut self,
        server: ServerId,
        since: Timestamp,
    ) -> Result<Option<BackupUsage>, StoreError> {
        let sql =
            "UPDATE servers SET backup_limit = backup_limit WHERE id = $1 RETURNING backup_limit";
        let Some(row) = self.db().opt(sql, &params![server]).await? else {
            return Ok(None);
        };
        let limit = cell(row)?;
        let sql = format!(
            "SELECT COUNT(CASE WHEN deleted_at IS NULL THEN 1 END),
                COUNT(CASE WHEN created_at > $2 THEN 1 END),
                MAX(CASE WHEN created_at > $2 THEN created_at END)
             FROM backups WHERE server_id = $1 AND {NOT_FAILED}
               AND (deleted_at IS NULL OR created_at > $2)"
        );
        let mut cells = Cells::new(self.db().one(&sql, &params![server, since]).await?);
        Ok(Some(BackupUsage {
            limit,
            kept: cells.take()?,
            recent: cells.take()?,
            newest: cells.take()?,
        }))
    }

    /// The oldest backup of a server that may be rotated out.
    pub async fn oldest_unlocked_backup(
        &mut self,
        server: ServerId,
    ) -> Result<Option<Backup>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM backups WHERE server_id = $1 AND deleted_at IS NULL
               AND NOT is_locked AND {NOT_FAILED} ORDER BY created_at, id LIMIT 1"
        );
        read_opt(self.db().opt(&sql, &params![server]).await?, read)
    }

    /// Creates a backup that is being made.
    pub async fn create_backup(&mut self, backup: &NewBackup) -> Result<Backup, StoreError> {
        let now = self.now();
        let uuid = BackupUuid::new(self.entropy().uuid());
        let row = self
            .db()
            .one(
                "INSERT INTO backups (server_id, uuid, name, ignored_files, disk, is_successful, is_locked,
                    bytes, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, FALSE, $6, 0, $7, $7) RETURNING id",
                &params![
                    backup.server_id,
                    uuid,
                    backup.name,
                    Json(&backup.ignored_files),
                    backup.disk,
                    backup.is_locked,
                    now
                ],
            )
            .await?;
        Ok(Backup {
            id: cell(row)?,
            server_id: backup.server_id,
            uuid,
            name: backup.name.clone(),
            ignored_files: backup.ignored_files.clone(),
            disk: backup.disk.clone(),
            upload_id: None,
            is_successful: false,
            is_locked: backup.is_locked,
            checksum: None,
            bytes: 0,
            completed_at: None,
            created_at: now,
            deleted_at: None,
        })
    }

    /// Locks a backup or unlocks it, whichever it is not, and returns it as it is then.
    pub async fn toggle_backup_lock(&mut self, id: BackupId) -> Result<Option<Backup>, StoreError> {
        let now = self.now();
        let sql = format!(
            "UPDATE backups SET is_locked = NOT is_locked, updated_at = $2
             WHERE id = $1 AND deleted_at IS NULL RETURNING {COLUMNS}"
        );
        read_opt(self.db().opt(&sql, &params![id, now]).await?, read)
    }

    /// Notes under which name a bucket knows the upload.
    pub async fn set_backup_upload(
        &mut self,
        id: BackupId,
        upload: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE backups SET upload_id = $2 WHERE id = $1";
        self.db().exec(sql, &params![id, upload]).await?;
        Ok(())
    }

    /// Notes how a backup ended. One that was completed successfully before, or deleted, stays as it
    /// is: the result tells whether it was changed. A failed one loses its lock.
    pub async fn finish_backup(
        &mut self,
        id: BackupId,
        outcome: &BackupOutcome,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let (successful, checksum, bytes) = match outcome {
            BackupOutcome::Made { checksum, bytes } => (true, Some(checksum), *bytes),
            BackupOutcome::Failed => (false, None, 0),
        };
        let rows = self
            .db()
            .exec(
                "UPDATE backups SET is_successful = $2, is_locked = (is_locked AND $2), checksum = $3, bytes = $4,
                    completed_at = $5, updated_at = $5
                 WHERE id = $1 AND NOT is_successful AND deleted_at IS NULL",
                &params![id, successful, checksum, bytes, now],
            )
            .await?;
        Ok(rows > 0)
    }

    /// Marks a backup as deleted. It still counts for the throttle (client-api.md §10.3).
    pub async fn delete_backup(&mut self, id: BackupId) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE backups SET deleted_at = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        Ok(self.db().exec(sql, &params![id, now]).await? > 0)
    }

    /// Takes back a backup that no node began to make.
    pub async fn withdraw_backup(&mut self, id: BackupId) -> Result<(), StoreError> {
        let sql = "DELETE FROM backups WHERE id = $1 AND completed_at IS NULL";
        self.db().exec(sql, &params![id]).await?;
        Ok(())
    }
}
