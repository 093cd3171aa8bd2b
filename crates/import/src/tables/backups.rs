//! Backups, those that were deleted too: they still count for the throttle. The archives stay
//! where they are.

use hatchery_store::import::BackupRecord;
use hatchery_vocab::{BackupId, BackupUuid, ServerId};

use super::times;
use crate::ImportError;
use crate::bring::{Bring, Context, Table};
use crate::broken::Broken;
use crate::row::Row;

const BACKUPS: Table = Table::numbered("backups");

pub(super) async fn all(bring: &mut Bring) -> Result<(), ImportError> {
    bring.table(BACKUPS, backup).await
}

fn backup(row: &Row, context: &Context) -> Result<BackupRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    Ok(BackupRecord {
        id: BackupId::new(row.int("id")?),
        uuid: BackupUuid::new(row.uuid("uuid")?),
        server_id: ServerId::new(context.known.need("servers", row.int("server_id")?)?),
        name: row.text("name")?,
        ignored_files: row.opt_json("ignored_files")?.unwrap_or_default(),
        disk: row.text("disk")?,
        is_locked: row.flag("is_locked")?,
        upload_id: row.opt_text("upload_id")?,
        is_successful: row.flag("is_successful")?,
        checksum: row.opt_text("checksum")?,
        bytes: row.int("bytes")?,
        completed_at: row.opt_time("completed_at")?,
        created_at,
        updated_at,
        deleted_at: row.opt_time("deleted_at")?,
    })
}
