//! Putting an archive's files back into the server's folder.

use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

use hatchery_archive::{ArchiveError, Origin, Progress, Unpack, unpack_tar_gz};
use hatchery_serverfs::{Denylist, RelPath};

use super::Server;
use crate::hub::Frame;
use crate::power::Refusal;

/// An archive that is to be put back.
#[derive(Debug)]
pub(crate) struct RestoreJob {
    /// The archive, known to be whole where the files are deleted first.
    pub(crate) archive: File,
    /// Whether all files are deleted first.
    pub(crate) truncate: bool,
    /// Ends the work when it is no longer wanted.
    pub(crate) progress: Arc<Progress>,
}

/// Why an archive was not put back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    /// The server is busy with something else.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The archive or the files refuse.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The server or the node ended meanwhile, or it took too long.
    #[error("it was given up")]
    GivenUp,
}

/// Unpacks the archive over what is there. Everybody who watches sees each name.
pub(super) async fn run(server: Arc<Server>, job: RestoreJob) -> Result<(), RestoreError> {
    let unpacked = tokio::task::spawn_blocking(move || {
        let files = server.files();
        if job.truncate {
            files.clear().map_err(ArchiveError::from)?;
        }
        let how = Unpack {
            into: RelPath::root(),
            // What the node packed itself may come back as it was.
            denylist: Denylist::empty(),
            origin: Origin::Backup,
        };
        let archive = BufReader::new(job.archive);
        unpack_tar_gz(&files, &how, archive, &job.progress, &mut |path| {
            if !server.hub.is_empty() {
                let name = path.to_string();
                let name = name.trim_start_matches('/');
                server
                    .hub
                    .publish(&Frame::message(&format!("(restoring): {name}")));
            }
        })
    })
    .await;
    unpacked.unwrap_or(Err(ArchiveError::Cancelled))?;
    Ok(())
}
