//! Packing files into an archive and unpacking one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use hatchery_archive::{ArchiveError, Origin, Progress, Selection, Unpack, extract, pack_tar_gz};
use hatchery_node_proto::{Compress, Decompress, FileEntry};
use hatchery_serverfs::{FsError, RelPath, ServerDir};
use hatchery_vocab::Timestamp;

use super::change::refuse_empty;
use super::read::wire;
use super::{blocking, write_error};
use crate::http::{ApiError, ApiResult, JsonBody, Known, Payload};
use crate::server::Server;
use crate::state::NodeState;

/// The type that an archive of ours is said to have, whatever its bytes say
/// (node-protocol.md §3.6).
const TAR_GZ: &str = "application/tar+gzip";

/// How many names are tried for archives of the same second.
const NAMES: u32 = 100;

/// `POST …/files/compress`: a new archive beside the files, answered once it is whole.
pub(super) async fn compress(
    State(node): State<NodeState>,
    Known(server): Known,
    Payload(body): Payload<Compress>,
) -> ApiResult<JsonBody<FileEntry>> {
    refuse_empty(
        &body.files,
        "No files were passed through to be compressed.",
    )?;
    let root = RelPath::parse(&body.root).map_err(FsError::from)?;
    let paths: Vec<_> = body
        .files
        .iter()
        .map(|file| root.join(file))
        .collect::<Result<_, _>>()
        .map_err(FsError::from)?;
    let files = server.files();
    if files.is_over_limit() {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "This server does not have enough available disk space to generate a compressed archive.",
        ));
    }
    let now = node.clock.now();
    let target = blocking({
        let (files, root) = (Arc::clone(&files), root.clone());
        move || free_name(&files, &root, now)
    })
    .await?;
    if server.denylist().denies(&target) {
        return Err(ApiError::denied_file());
    }
    let entry = at_work(&node, &server, move |progress| {
        let selection = Selection::of(root, paths);
        let writer = files.write(&target)?;
        pack_tar_gz(&files, &selection, writer, progress)?.commit()?;
        Ok(files.entry(&target)?.ok_or(FsError::NotFound)?)
    })
    .await?;
    let mut entry = wire(entry);
    TAR_GZ.clone_into(&mut entry.mime);
    Ok(JsonBody(entry))
}

/// `POST …/files/decompress`: the contents of an archive, beside it. Files that the egg denies are
/// passed over.
pub(super) async fn decompress(
    State(node): State<NodeState>,
    Known(server): Known,
    Payload(body): Payload<Decompress>,
) -> ApiResult<StatusCode> {
    let root = RelPath::parse(&body.root).map_err(FsError::from)?;
    let archive = root.join(&body.file).map_err(FsError::from)?;
    let how = Unpack {
        into: root,
        denylist: server.denylist().as_ref().clone(),
        origin: Origin::Foreign,
    };
    let files = server.files();
    at_work(&node, &server, move |progress| {
        extract(&files, &archive, &how, progress)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `archive-2024-03-17T145830Z.tar.gz`, or one with a number when that is taken.
fn free_name(files: &ServerDir, root: &RelPath, now: Timestamp) -> Result<RelPath, FsError> {
    let time = now.iso_utc().replace("+00:00", "Z").replace(':', "");
    for number in 0..NAMES {
        let suffix = match number {
            0 => String::new(),
            number => format!("-{number}"),
        };
        let path = root.join(format!("archive-{time}{suffix}.tar.gz"))?;
        if files.entry(&path)?.is_none() {
            return Ok(path);
        }
    }
    Err(FsError::Exists)
}

/// Packs or unpacks on a thread for such work, one archive of a server after another. It goes on
/// when nobody waits for it any more, since clients give up sooner than a large archive is done, and
/// ends with the node.
async fn at_work<T: Send + 'static>(
    node: &NodeState,
    server: &Arc<Server>,
    work: impl FnOnce(&Progress) -> Result<T, ArchiveError> + Send + 'static,
) -> ApiResult<T> {
    let (stopped, server) = (node.stopped.clone(), Arc::clone(server));
    let job = tokio::spawn(async move {
        let _turn = server.archiving.lock().await;
        let progress = Arc::new(Progress::default());
        let thread = tokio::task::spawn_blocking({
            let progress = Arc::clone(&progress);
            move || work(&progress)
        });
        tokio::select! {
            done = thread => done,
            () = stopped.cancelled() => {
                progress.cancel();
                Ok(Err(ArchiveError::Cancelled))
            }
        }
    });
    match job.await {
        Ok(Ok(outcome)) => outcome.map_err(Into::into),
        Ok(Err(panic)) | Err(panic) => Err(ApiError::internal(&panic)),
    }
}

impl From<ArchiveError> for ApiError {
    fn from(error: ArchiveError) -> Self {
        let text = match error {
            ArchiveError::Files(error) => return write_error(error),
            ArchiveError::UnknownFormat => {
                // The reference's words, since people search for them.
                "The archive provided is in a format Wings does not understand.".to_owned()
            }
            ArchiveError::Unreadable(_) => {
                "The archive provided is damaged or encrypted and cannot be read.".to_owned()
            }
            ArchiveError::TooManyEntries(_) | ArchiveError::TooDense(_) => {
                format!("The archive provided cannot be unpacked: {error}.")
            }
            ArchiveError::Unwritable(_) | ArchiveError::Cancelled => {
                return Self::internal(&error);
            }
        };
        Self::failure(StatusCode::BAD_REQUEST, text)
    }
}
