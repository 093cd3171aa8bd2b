//! Backups (client-api.md §4.11).

use serde::Serialize;

use crate::PageMeta;
use crate::page::Pagination;

crate::resources! {
    Backup: "backup",
}

/// An archive of a server's files.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Backup {
    /// Public id.
    pub uuid: String,
    /// Whether it was completed without a failure.
    pub is_successful: bool,
    /// Whether it can be neither deleted nor rotated out.
    pub is_locked: bool,
    /// Name.
    pub name: String,
    /// Patterns of what was left out.
    pub ignored_files: Vec<String>,
    /// `<type>:<hex>`, such as `sha1:…`; null until it is completed.
    pub checksum: Option<String>,
    /// How long the archive is.
    pub bytes: u64,
    /// When it was asked for.
    pub created_at: String,
    /// When it ended, well or not; null while it is being made.
    pub completed_at: Option<String>,
}

/// The meta data of a page of backups.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BackupMeta {
    /// How many backups have not failed.
    pub backup_count: u64,
    /// Where this page stands in the whole list.
    pub pagination: Pagination,
}

impl BackupMeta {
    /// Of a page.
    pub fn new(backup_count: u64, PageMeta { pagination }: PageMeta) -> Self {
        Self {
            backup_count,
            pagination,
        }
    }
}
