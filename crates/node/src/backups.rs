//! Backups: making archives of servers' files, keeping them or handing them to a bucket, and
//! putting them back (node-protocol.md §8).
//!
//! A backup is begun by the panel's word and goes on beside everything else. It waits for its turn:
//! one archive of a server at a time, and a few on the whole node. Its draft lies in the folder of
//! archives from the first moment on, so that one that the end of the process cut short is found at
//! the next start and reported as failed.

mod create;
mod folder;
mod restore;
mod routes;
mod upload;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};
use hatchery_archive::Progress;
use hatchery_node_proto::BackupReport;
use hatchery_vocab::{BackupUuid, ServerUuid};
use parking_lot::Mutex;
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use crate::server::Server;
use crate::state::NodeState;

use folder::Folder;

/// How many archives are made and put back at once: each takes a processor.
const AT_ONCE: usize = 4;
/// How many of one server may be going on and waiting.
const MAX_OF_SERVER: usize = 8;

/// Routes of the panel, all beneath `/api/servers/{server}/backup`.
pub(crate) fn routes() -> Router<NodeState> {
    Router::new()
        .route("/", post(routes::create))
        .route("/{backup}", delete(routes::delete))
        .route("/{backup}/restore", post(routes::restore))
}

/// The link that downloads a backup.
pub(crate) fn links() -> Router<NodeState> {
    Router::new().route("/download/backup", get(routes::download))
}

/// The node's archives, and what is being done with them.
#[derive(Debug)]
pub(crate) struct Backups {
    folder: Folder,
    /// What the end of the last process cut short.
    cut_short: Mutex<Vec<(ServerUuid, BackupUuid)>>,
    turns: Semaphore,
    going_on: Mutex<HashMap<BackupUuid, (ServerUuid, Arc<Progress>)>>,
}

impl Backups {
    /// Archives in this folder.
    pub(crate) fn new(path: std::path::PathBuf) -> Self {
        let folder = Folder::new(path);
        // Looked at before anything can be begun: what is found now was begun by another process.
        let cut_short = folder.drafts();
        Self {
            folder,
            cut_short: Mutex::new(cut_short),
            turns: Semaphore::new(AT_ONCE),
            going_on: Mutex::default(),
        }
    }

    /// Enters a piece of work, unless the server has too many or the same one is going on.
    fn enter(node: &NodeState, server: ServerUuid, backup: BackupUuid) -> Option<Entered> {
        let progress = Arc::new(Progress::default());
        let mut going_on = node.backups.going_on.lock();
        let of_server = going_on.values().filter(|(of, _)| *of == server).count();
        if of_server >= MAX_OF_SERVER || going_on.contains_key(&backup) {
            return None;
        }
        going_on.insert(backup, (server, Arc::clone(&progress)));
        drop(going_on);
        Some(Entered {
            node: node.clone(),
            backup,
            progress,
        })
    }

    /// Waits until archives of this server may be worked on.
    async fn turn<'a>(
        &'a self,
        server: &'a Server,
    ) -> Result<(SemaphorePermit<'a>, SemaphorePermit<'a>), AcquireError> {
        // The server's first: who waits for it must not keep others from working.
        Ok((
            server.archives.acquire().await?,
            self.turns.acquire().await?,
        ))
    }

    /// Ends what is being done with a backup of the server. Says whether something was.
    fn cancel(&self, server: ServerUuid, backup: BackupUuid) -> bool {
        let going_on = self.going_on.lock();
        let found = going_on.get(&backup).filter(|(of, _)| *of == server);
        found.inspect(|(_, progress)| progress.cancel()).is_some()
    }

    /// Ends everything that is being done with backups of a server that is being deleted, and
    /// deletes those that the node keeps. Blocks.
    pub(crate) fn forget(&self, server: ServerUuid) {
        for (of, progress) in self.going_on.lock().values() {
            if *of == server {
                progress.cancel();
            }
        }
        if let Err(error) = self.folder.delete_all(server) {
            tracing::error!(%server, %error, "the deleted server's backups could not be deleted");
        }
    }
}

/// Tells the panel of what the end of the last process cut short.
pub(crate) async fn report_cut_short(node: &NodeState) {
    let cut_short = std::mem::take(&mut *node.backups.cut_short.lock());
    for (server, backup) in cut_short {
        tracing::warn!(%server, %backup, "a backup was cut short by the end of the node and has failed");
        if let Err(error) = node
            .panel
            .report_backup(backup, &BackupReport::failed())
            .await
        {
            tracing::warn!(%backup, %error, "the panel was not told that a backup has failed");
        }
        let node = node.clone();
        // Its failure leaves the draft for the next start.
        let _ = tokio::task::spawn_blocking(move || {
            node.backups.folder.delete_draft(server, backup);
        })
        .await;
    }
}

/// A piece of work that is going on or waits. Dropped, it ends.
#[derive(Debug)]
struct Entered {
    node: NodeState,
    backup: BackupUuid,
    progress: Arc<Progress>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.progress.cancel();
        self.node.backups.going_on.lock().remove(&self.backup);
    }
}
