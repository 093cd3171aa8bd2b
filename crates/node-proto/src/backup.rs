//! Backups: what the panel asks of a node (node-protocol.md §3.7), and what the node reports
//! (§2.10).

use hatchery_vocab::BackupUuid;
use serde::{Deserialize, Serialize};

/// Who keeps a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupAdapter {
    /// The node, in a folder of its own. The name is the protocol's.
    Wings,
    /// A bucket that speaks the S3 protocol.
    S3,
}

impl BackupAdapter {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wings => "wings",
            Self::S3 => "s3",
        }
    }

    /// The adapter of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Wings, Self::S3]
            .into_iter()
            .find(|adapter| adapter.as_str() == name)
    }
}

/// Body of `POST …/backup`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateBackup {
    /// Who is to keep it.
    pub adapter: BackupAdapter,
    /// What it is called.
    pub uuid: BackupUuid,
    /// Patterns of what is left out, one a line.
    #[serde(default)]
    pub ignore: String,
}

/// Body of `POST …/backup/{backup}/restore`. The adapter is passed on by name: imported rows may
/// carry names that no node knows, and it is the node that refuses them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreBackup {
    /// Who keeps it.
    #[serde(default)]
    pub adapter: String,
    /// Whether all files are deleted first.
    #[serde(default)]
    pub truncate_directory: bool,
    /// Where to fetch it from; empty for one that the node keeps.
    #[serde(default)]
    pub download_url: String,
}

/// One part of an upload that a bucket has taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadedPart {
    /// What the bucket calls it, quotes included.
    pub etag: String,
    /// Its place, from 1.
    pub part_number: u32,
}

/// Body of `POST /api/remote/backups/{backup}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReport {
    /// Hexadecimal digits; empty for a failure.
    pub checksum: String,
    /// By which function; empty for a failure.
    pub checksum_type: String,
    /// How long the archive is, in bytes.
    pub size: u64,
    /// Whether there is an archive.
    pub successful: bool,
    /// What a bucket has taken.
    pub parts: Option<Vec<UploadedPart>>,
}

impl BackupReport {
    /// There is no archive.
    pub fn failed() -> Self {
        Self::default()
    }
}

/// Body of `POST /api/remote/backups/{backup}/restore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreReport {
    /// Whether all of it was put back.
    pub successful: bool,
}

/// What `GET /api/remote/backups/{backup}` answers: where the parts of an archive go. Each address
/// carries its own permission, so none may be logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadAddresses {
    /// One address for each part.
    pub parts: Vec<String>,
    /// How long every part but the last is, in bytes.
    pub part_size: u64,
}

impl std::fmt::Debug for UploadAddresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadAddresses")
            .field("parts", &self.parts.len())
            .field("part_size", &self.part_size)
            .finish()
    }
}

/// What `backup completed` tells about, as JSON inside its argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupCompleted {
    /// Hexadecimal digits; empty for a failure.
    pub checksum: String,
    /// By which function.
    pub checksum_type: String,
    /// How long the archive is, in bytes.
    pub file_size: u64,
    /// Whether there is one.
    pub is_successful: bool,
    /// Which backup.
    pub uuid: BackupUuid,
}
