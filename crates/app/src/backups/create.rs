//! Creating backups: throttle, limit, rotation (client-api.md §10).

use std::sync::Arc;
use std::time::Duration;

use hatchery_node_proto::{CreateBackup, NodeError};
use hatchery_store::{Backup, NewBackup, ServerSnapshot, StoreError, Subject};
use hatchery_vocab::{Permission, Timestamp};

use super::{DeleteError, discard};
use crate::access::{Access, needs};
use crate::activity::Event;
use crate::detached::to_the_end;
use crate::{Cx, node_call};

/// How many backups are rotated out for one new one. More than one goes only when others create
/// backups at the same time.
const MOST_ROTATED: usize = 4;

/// A backup that somebody asks for.
#[derive(Clone, Debug)]
pub struct BackupRequest {
    /// Its name; made up from the time when there is none.
    pub name: Option<String>,
    /// What is to be left out: patterns, one a line.
    pub ignored: String,
    /// Whether it is to be locked. Without the permission `backup.delete` that is ignored.
    pub lock: bool,
}

/// Why no backup is being made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Too many were made lately.
    #[error("only {limit} backups may be made within {} seconds", period.as_secs())]
    Throttled {
        /// How many there may be.
        limit: u32,
        /// In what time.
        period: Duration,
        /// When there may be one more.
        retry_after: Duration,
    },
    /// The server has as many as it may have.
    #[error("the server has its {limit} backups")]
    TooMany {
        /// How many it may have.
        limit: u32,
    },
    /// The server was deleted meanwhile.
    #[error("the server is gone")]
    ServerGone,
    /// The node did not begin.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The oldest backup could not be rotated out.
    #[error("the oldest backup could not be deleted: {0}")]
    Rotation(DeleteError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeleteError> for CreateError {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Node(error) => Self::Node(error),
            DeleteError::Store(error) => Self::Store(error),
            other => Self::Rotation(other),
        }
    }
}

/// What to do when a server has as many backups as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenFull {
    /// Make none.
    Refuse,
    /// Delete the oldest unlocked one.
    Rotate,
}

/// Begins a backup.
pub async fn create(
    cx: &Cx,
    access: &Access<needs::BackupCreate>,
    request: BackupRequest,
) -> Result<Backup, CreateError> {
    let asked_to_lock = request.lock;
    let request = BackupRequest {
        lock: asked_to_lock && access.may(Permission::BackupDelete),
        ..request
    };
    let backup = begin(cx, &access.server, request, WhenFull::Refuse).await?;
    Event::new("server:backup.start")
        .with("name", backup.name.as_str())
        .with("locked", asked_to_lock)
        .about(Subject::Backup(backup.id))
        .on_server(cx, access);
    Ok(backup)
}

/// Begins a backup for a schedule, in the place of the oldest unlocked one if need be. Not recorded.
pub async fn create_for_schedule(
    cx: &Cx,
    server: &Arc<ServerSnapshot>,
    ignored: &str,
) -> Result<Backup, CreateError> {
    let request = BackupRequest {
        name: None,
        ignored: ignored.to_owned(),
        lock: false,
    };
    begin(cx, server, request, WhenFull::Rotate).await
}

async fn begin(
    cx: &Cx,
    server: &Arc<ServerSnapshot>,
    request: BackupRequest,
    when_full: WhenFull,
) -> Result<Backup, CreateError> {
    let adapter = cx.settings().backups.adapter;
    let ignored = request.ignored.split('\n').filter(|line| !line.is_empty());
    let wanted = NewBackup {
        server_id: server.id,
        name: request
            .name
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| usual_name(cx.now())),
        ignored_files: ignored.map(str::to_owned).collect(),
        disk: adapter.as_str().to_owned(),
        is_locked: request.lock,
    };
    let (cx, server) = (cx.clone(), Arc::clone(server));
    to_the_end(async move {
        let backup = reserve(&cx, &server, &wanted, when_full).await?;
        let order = CreateBackup {
            adapter,
            uuid: backup.uuid,
            ignore: backup.ignored_files.join("\n"),
        };
        let begun = match node_call::client(&cx, &server.node) {
            Ok(node) => node.create_backup(server.uuid, &order).await,
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            let mut tx = cx.store().begin().await?;
            tx.withdraw_backup(backup.id).await?;
            tx.commit().await?;
            return Err(error.into());
        }
        Ok(backup)
    })
    .await
}

/// Makes the row, if there is room for it. Two that ask at once come one after the other.
async fn reserve(
    cx: &Cx,
    server: &Arc<ServerSnapshot>,
    wanted: &NewBackup,
    when_full: WhenFull,
) -> Result<Backup, CreateError> {
    let throttle = cx.settings().backups.throttle;
    let mut limit = 0;
    for _ in 0..=MOST_ROTATED {
        let now = cx.now();
        let since = throttle.map_or(now, |throttle| now.minus(throttle.period));
        let mut tx = cx.store().begin().await?;
        let usage = tx.backup_usage(server.id, since).await?;
        let usage = usage.ok_or(CreateError::ServerGone)?;
        if let Some(throttle) = throttle
            && usage.recent >= u64::from(throttle.limit)
        {
            let free = usage.newest.unwrap_or(now).plus(throttle.period);
            return Err(CreateError::Throttled {
                limit: throttle.limit,
                period: throttle.period,
                retry_after: free.since(now),
            });
        }
        limit = usage.limit;
        if usage.kept < u64::from(limit) {
            let backup = tx.create_backup(wanted).await?;
            tx.commit().await?;
            return Ok(backup);
        }
        if when_full == WhenFull::Refuse || limit == 0 {
            break;
        }
        let Some(oldest) = tx.oldest_unlocked_backup(server.id).await? else {
            break;
        };
        // The keeper is asked outside the transaction: it may take its time.
        drop(tx);
        discard(cx, server, &oldest).await?;
    }
    Err(CreateError::TooMany { limit })
}

/// `Backup at 2026-11-23 06:29:25`.
fn usual_name(now: Timestamp) -> String {
    const SECONDS: usize = "2026-11-23T06:29:25".len();
    let date = now.iso_utc();
    let date = date.get(..SECONDS).unwrap_or(&date).replace('T', " ");
    format!("Backup at {date}")
}
