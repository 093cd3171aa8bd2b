//! Making a backup.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use hatchery_archive::{ArchiveError, Ignored, Progress, Selection, pack_tar_gz};
use hatchery_node_proto::ws::outbound;
use hatchery_node_proto::{
    BackupAdapter, BackupCompleted, BackupReport, CreateBackup, PanelError, UploadedPart,
};
use hatchery_serverfs::{RelPath, ServerDir};
use sha1::{Digest as _, Sha1};
use tokio::sync::AcquireError;

use super::folder::Draft;
use super::upload::{UploadError, upload};
use super::{Backups, Entered};
use crate::hub::Frame;
use crate::server::Server;
use crate::state::NodeState;

/// The file that says what backups leave out where the panel does not.
const IGNORE_FILE: &str = ".pteroignore";
/// The most of it that is read, in bytes (node-protocol.md §7.3).
const MAX_IGNORE_FILE: u64 = 32 * 1024;
/// How much is written to the disk at once.
const BUFFER: usize = 256 * 1024;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
enum BackupError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("the archive could not be kept: {0}")]
    Keep(io::Error),
    #[error(transparent)]
    Upload(#[from] UploadError),
    #[error("the node is ending")]
    Ending,
}

impl From<AcquireError> for BackupError {
    fn from(_: AcquireError) -> Self {
        Self::Ending
    }
}

/// What was made.
struct Made {
    checksum: String,
    size: u64,
    parts: Option<Vec<UploadedPart>>,
}

/// Makes the backup, and tells the panel and everybody who watches how it ended.
pub(super) async fn run(
    node: NodeState,
    server: Arc<Server>,
    order: CreateBackup,
    entered: Entered,
    draft: Draft,
) {
    let outcome = make(&node, &server, &order, &entered.progress, draft).await;
    let report = match outcome {
        Ok(made) => BackupReport {
            checksum: made.checksum,
            checksum_type: "sha1".to_owned(),
            size: made.size,
            successful: true,
            parts: made.parts,
        },
        Err(error) => {
            tracing::warn!(server = %server.uuid(), backup = %order.uuid, %error, "a backup failed");
            BackupReport::failed()
        }
    };
    let successful = tell_panel(&node, &server, &order, &report).await;
    let completed = if successful {
        BackupCompleted {
            checksum: report.checksum,
            checksum_type: report.checksum_type,
            file_size: report.size,
            is_successful: true,
            uuid: order.uuid,
        }
    } else {
        BackupCompleted {
            checksum: String::new(),
            checksum_type: String::new(),
            file_size: 0,
            is_successful: false,
            uuid: order.uuid,
        }
    };
    let text = serde_json::to_string(&completed).unwrap_or_default();
    // Some clients know the plain name, others the one with the backup in it (node-protocol.md §4.3).
    let named = format!("{}:{}", outbound::BACKUP_COMPLETED, order.uuid);
    for event in [outbound::BACKUP_COMPLETED, &named] {
        server.hub.publish(&Frame::backup(event, &[&text]));
    }
}

/// Tells the panel, and says whether there is a backup then. One that the panel does not take is
/// deleted: nobody could ever ask for it.
async fn tell_panel(
    node: &NodeState,
    server: &Server,
    order: &CreateBackup,
    report: &BackupReport,
) -> bool {
    let told = node.panel.report_backup(order.uuid, report).await;
    let Err(error) = told else {
        return report.successful;
    };
    tracing::warn!(server = %server.uuid(), backup = %order.uuid, %error, "the panel did not take the report of a backup");
    if !report.successful {
        return false;
    }
    if !matches!(error, PanelError::Refused { .. }) {
        // It was there a while ago; perhaps it hears of the failure.
        let failed = BackupReport::failed();
        if let Err(error) = node.panel.report_backup(order.uuid, &failed).await {
            tracing::warn!(backup = %order.uuid, %error, "nor of its failure");
        }
    }
    let (node, server, backup) = (node.clone(), server.uuid(), order.uuid);
    let deleted =
        tokio::task::spawn_blocking(move || node.backups.folder.delete(server, backup)).await;
    if let Ok(Err(error)) = deleted {
        tracing::error!(%server, %backup, %error, "an archive that nobody knows could not be deleted");
    }
    false
}

async fn make(
    node: &NodeState,
    server: &Arc<Server>,
    order: &CreateBackup,
    progress: &Arc<Progress>,
    draft: Draft,
) -> Result<Made, BackupError> {
    let packed = pack(node, server, order, progress, &draft).await;
    let made = match packed {
        Ok((checksum, size)) => match order.adapter {
            BackupAdapter::Wings => Ok(Made {
                checksum,
                size,
                parts: None,
            }),
            BackupAdapter::S3 => match draft.file().try_clone() {
                Ok(file) => upload(node, order.uuid, file, size, progress)
                    .await
                    .map(|parts| Made {
                        checksum,
                        size,
                        parts: Some(parts),
                    })
                    .map_err(BackupError::from),
                Err(error) => Err(BackupError::Keep(error)),
            },
        },
        Err(error) => Err(error),
    };
    let keeps = made.is_ok() && order.adapter == BackupAdapter::Wings;
    let put_away = tokio::task::spawn_blocking(move || {
        if keeps {
            draft.keep()
        } else {
            draft.discard();
            Ok(())
        }
    });
    match put_away.await {
        Ok(Ok(())) => made,
        Ok(Err(error)) => Err(BackupError::Keep(error)),
        Err(_) => Err(BackupError::Ending),
    }
}

/// Packs the server's files into the draft. Returns the checksum and the length of the archive.
async fn pack(
    node: &NodeState,
    server: &Arc<Server>,
    order: &CreateBackup,
    progress: &Arc<Progress>,
    draft: &Draft,
) -> Result<(String, u64), BackupError> {
    let backups: &Backups = &node.backups;
    let _turn = backups.turn(server).await?;
    let (files, progress) = (server.files(), Arc::clone(progress));
    let ignore = order.ignore.clone();
    let file = draft.file().try_clone().map_err(BackupError::Keep)?;
    let packed = tokio::task::spawn_blocking(move || {
        let selection = Selection::all_but(Ignored::parse(&patterns(&files, ignore)));
        let output = BufWriter::with_capacity(BUFFER, Hashing::new(file));
        let output = pack_tar_gz(&files, &selection, output, &progress)?;
        let hashing = output
            .into_inner()
            .map_err(|error| ArchiveError::Unwritable(error.into_error()))?;
        Ok(hashing.finish())
    })
    .await;
    packed.unwrap_or(Err(BackupError::Ending))
}

/// What is left out: what the panel says, else what the server's own file says.
fn patterns(files: &ServerDir, ordered: String) -> String {
    if !ordered.trim().is_empty() {
        return ordered;
    }
    let read = RelPath::parse(IGNORE_FILE)
        .map_err(hatchery_serverfs::FsError::from)
        .and_then(|path| files.read(&path, MAX_IGNORE_FILE));
    // Without the file, and with one that is a link or too long, nothing is left out.
    read.map_or_else(
        |_| String::new(),
        |text| String::from_utf8_lossy(&text).into_owned(),
    )
}

/// A file that is hashed and measured while it is written.
struct Hashing {
    file: File,
    hash: Sha1,
    length: u64,
}

impl Hashing {
    fn new(file: File) -> Self {
        Self {
            file,
            hash: Sha1::new(),
            length: 0,
        }
    }

    /// The hash in hexadecimal digits, and the length.
    fn finish(self) -> (String, u64) {
        use std::fmt::Write as _;
        let digest = self.hash.finalize();
        let text = digest.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        (text, self.length)
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
