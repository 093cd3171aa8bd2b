//! Putting a backup back.

use std::fs::File;
use std::io::{self, BufReader, Seek as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use hatchery_archive::{ArchiveError, Progress, verify_tar_gz};
use hatchery_node_proto::RestoreReport;
use hatchery_node_proto::ws::outbound;
use hatchery_vocab::BackupUuid;
use tokio::sync::AcquireError;

use super::Entered;
use crate::power::Refusal;
use crate::server::{RestoreError, RestoreJob, Server};
use crate::state::NodeState;

/// How long the other side may be silent in the middle of an archive.
const SILENCE: Duration = Duration::from_mins(1);
/// How often, and how long apart, a server that is being started or stopped is asked again: as long
/// as it may take to stop (node-protocol.md §5.2).
const LOCKED_TRIES: u32 = 240;
const LOCKED_PAUSE: Duration = Duration::from_millis(500);
/// How much of an archive is gathered before it goes to the disk.
const BATCH: usize = 1024 * 1024;

/// Where an archive comes from.
pub(super) enum Source {
    /// The node's own folder.
    Kept(File),
    /// A bucket: an answer that has begun.
    Fetched(Response<Body>),
}

/// Why a backup was not put back.
#[derive(Debug, thiserror::Error)]
enum PutBackError {
    #[error("the archive could not be fetched: {0}")]
    Fetch(io::Error),
    #[error("the archive could not be stored: {0}")]
    Store(io::Error),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error("the node is ending")]
    Ending,
}

impl From<AcquireError> for PutBackError {
    fn from(_: AcquireError) -> Self {
        Self::Ending
    }
}

/// Puts the backup back, and tells the panel and everybody who watches how it ended.
pub(super) async fn run(
    node: NodeState,
    server: Arc<Server>,
    source: Source,
    truncate: bool,
    entered: Entered,
) {
    let done = match &source {
        Source::Kept(_) => "Completed server restoration from local backup.",
        Source::Fetched(_) => "Completed server restoration from S3 backup.",
    };
    let backup = entered.backup;
    let outcome = put_back(&node, &server, source, truncate, &entered.progress).await;
    let report = RestoreReport {
        successful: outcome.is_ok(),
    };
    if let Err(error) = node.panel.report_restore(backup, report).await {
        tracing::error!(server = %server.uuid(), %backup, %error, "the panel was not told how a restoration ended");
    }
    match outcome {
        Ok(()) => server.publish(outbound::DAEMON_MESSAGE, &[done]),
        Err(error) => {
            tell_failure(&node, &server, backup, &error);
        }
    }
    server.publish(outbound::BACKUP_RESTORE_COMPLETED, &[""]);
}

fn tell_failure(node: &NodeState, server: &Server, backup: BackupUuid, error: &PutBackError) {
    tracing::warn!(server = %server.uuid(), %backup, %error, "a backup was not put back");
    let text = format!("The backup could not be put back: {error}");
    server.say(&node.config.app_name, &text);
}

async fn put_back(
    node: &NodeState,
    server: &Arc<Server>,
    source: Source,
    truncate: bool,
    progress: &Arc<Progress>,
) -> Result<(), PutBackError> {
    let _turn = node.backups.turn(server).await?;
    let archive = match source {
        Source::Kept(file) => file,
        Source::Fetched(answer) => fetch(node, server, answer, progress).await?,
    };
    // Nothing is deleted for an archive that is damaged.
    let archive = if truncate {
        verify(archive, progress).await?
    } else {
        archive
    };
    for _ in 0..LOCKED_TRIES {
        let job = RestoreJob {
            archive: archive.try_clone().map_err(PutBackError::Store)?,
            truncate,
            progress: Arc::clone(progress),
        };
        match server.restore(job).await {
            // A start or a stop is going on, and will have ended soon.
            Err(RestoreError::Refused(Refusal::Locked)) => tokio::time::sleep(LOCKED_PAUSE).await,
            other => return Ok(other?),
        }
    }
    Err(RestoreError::Refused(Refusal::Locked).into())
}

/// Fetches an archive into a file without a name, so that neither a slow bucket nor a broken
/// connection meets a half-deleted server.
async fn fetch(
    node: &NodeState,
    server: &Server,
    answer: Response<Body>,
    progress: &Progress,
) -> Result<File, PutBackError> {
    let mut file = node
        .backups
        .folder
        .passing(server.uuid())
        .map_err(PutBackError::Store)?;
    let mut pieces = answer.into_body().into_data_stream();
    let (mut batch, mut waiting) = (Vec::new(), 0);
    loop {
        let piece = tokio::time::timeout(SILENCE, pieces.next())
            .await
            .map_err(|_| PutBackError::Fetch(io::ErrorKind::TimedOut.into()))?;
        if progress.is_cancelled() {
            return Err(ArchiveError::Cancelled.into());
        }
        let ended = piece.is_none();
        if let Some(piece) = piece {
            let piece = piece.map_err(|error| PutBackError::Fetch(io::Error::other(error)))?;
            waiting += piece.len();
            batch.push(piece);
        }
        if ended || waiting >= BATCH {
            file = store(file, std::mem::take(&mut batch), ended).await?;
            waiting = 0;
        }
        if ended {
            return Ok(file);
        }
    }
}

/// Writes pieces where waiting is allowed; after the last ones the file is at its start again.
async fn store(mut file: File, batch: Vec<Bytes>, last: bool) -> Result<File, PutBackError> {
    let stored = tokio::task::spawn_blocking(move || {
        for piece in batch {
            file.write_all(&piece)?;
        }
        if last {
            file.rewind()?;
        }
        Ok(file)
    })
    .await;
    stored
        .unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))
        .map_err(PutBackError::Store)
}

/// Reads the archive to its end and goes back to its start.
async fn verify(mut archive: File, progress: &Arc<Progress>) -> Result<File, PutBackError> {
    let progress = Arc::clone(progress);
    let verified = tokio::task::spawn_blocking(move || {
        verify_tar_gz(BufReader::new(&archive), &progress)?;
        archive.rewind().map_err(ArchiveError::Unreadable)?;
        Ok(archive)
    })
    .await;
    Ok(verified.unwrap_or(Err(ArchiveError::Cancelled))?)
}
