//! Every query of the panel, one file per noun, and the caches in front of them.
//!
//! Reading is a method of [`Store`]; changing is a method of [`Tx`], which [`Store::begin`] gives.
//! There is no other way to change data, and a commit drops what it made stale from the caches
//! before it returns, so nobody can forget to.
//!
//! The structs here are what the rest of the program works with. None of them can be serialized:
//! what goes out is decided by `wire` and `api`.
//!
//! Two things are written behind the caller's back, within [`FLUSH_EVERY`]: activity entries and
//! the times at which API keys were used. A process that is killed may lose those of that moment;
//! it never loses what a transaction committed.

mod access;
mod activity;
mod allocations;
mod api_keys;
mod backups;
mod buffer;
mod cache;
mod changes;
mod database_hosts;
mod databases;
mod eggs;
mod error;
pub mod import;
mod locations;
mod mounts;
mod nests;
mod nodes;
mod page;
mod password_resets;
mod pending_sign_ins;
mod recovery_tokens;
mod schedule_runs;
mod schedules;
mod secret;
mod server_list;
mod servers;
mod sessions;
mod settings;
mod snapshot;
mod sql;
mod ssh_keys;
mod subusers;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod transfers;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hatchery_ambient::{Clock, Entropy};
use hatchery_db::{Db, Migration};
pub use hatchery_db::{DbError, Location as DatabaseLocation};
use hatchery_vocab::Timestamp;
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub use access::{Access, AccessibleServers};
pub use activity::{ActivityEntry, ActivityOrder, ActivityQuery, ActivityRecord, Subject};
pub use allocations::Allocation;
pub use api_keys::{ApiKey, ApiKeyKind, KeyActor, MAX_CLIENT_KEYS, NewApiKey};
pub use backups::{Backup, BackupOutcome, BackupPage, BackupUsage, NewBackup};
pub use changes::Changes;
pub use database_hosts::{DatabaseHost, NewDatabaseHost};
pub use databases::{Database, NewDatabase};
pub use eggs::{Egg, EggSnapshot, EggVariable, InstallScript, NewEgg, NewEggVariable};
pub use error::StoreError;
pub use locations::Location;
pub use mounts::Mount;
pub use nests::Nest;
pub use nodes::{NewNode, Node};
pub use page::{Page, Paged};
pub use pending_sign_ins::PendingSignIn;
pub use recovery_tokens::RecoveryToken;
pub use schedule_runs::{DueRun, RunHold};
pub use schedules::{CronText, DueSchedule, NewSchedule, Schedule};
pub use secret::Secret;
pub use server_list::{ServerFilter, ServerQuery, ServerScope, ServerSort, SortField};
pub use servers::NewServer;
pub use sessions::{NewSession, Session};
pub use snapshot::{FeatureLimits, OpenTransfer, ServerLimits, ServerSnapshot};
pub use ssh_keys::SshKey;
pub use subusers::Subuser;
pub use tasks::{NewTask, Task};
pub use transfers::NewTransfer;
pub use users::{AdminUser, NewUser, User};

use buffer::Buffer;
use cache::Caches;
use sql::{Param, cell, params};

/// How long an activity entry or the use of a key may wait to be written.
pub const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// How often to ask whether another process wrote to the SQLite file, and how long a copy of a row
/// of PostgreSQL lives, where nobody tells us of other processes: what somebody revokes elsewhere
/// has to be in force within a second.
const LOOK_FOR_OTHERS_EVERY: Duration = Duration::from_millis(500);
/// How often SQLite's log is moved into its file.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// How often PostgreSQL's readers are told that somebody else may have committed: what they do then
/// costs a query or two.
const SHARED_NEWS_EVERY: Duration = Duration::from_secs(2);

macro_rules! migration {
    ($name:literal) => {
        Migration {
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }
    };
}

/// The steps of the schema, oldest first. A step that was released is never edited.
const MIGRATIONS: &[Migration] = &[
    migration!("0001_schema"),
    migration!("0002_kept_backups"),
    migration!("0003_database_state"),
    migration!("0004_sign_ins"),
    migration!("0005_schedule_runs"),
];

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where the data lives.
    pub database: DatabaseLocation,
}

/// The panel's data. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    db: Db,
    caches: Caches,
    buffer: Buffer,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    housekeeping: parking_lot::Mutex<Option<AbortHandle>>,
    /// Counts what other processes committed, as far as we noticed.
    external_commits: watch::Sender<u64>,
    /// Counts our own commits after which a schedule may be due earlier than it was.
    schedule_commits: watch::Sender<u64>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = self.housekeeping.get_mut().take() {
            task.abort();
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("db", &self.0.db)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, brings its schema up to date and starts writing behind.
    pub async fn open(
        config: &StoreConfig,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        let db = Db::open(&config.database, MIGRATIONS).await?;
        let store = Self(Arc::new(Inner {
            db,
            caches: Caches::new(),
            buffer: Buffer::default(),
            clock,
            entropy,
            housekeeping: parking_lot::Mutex::new(None),
            external_commits: watch::Sender::new(0),
            schedule_commits: watch::Sender::new(0),
        }));
        // The task must not keep the store alive.
        let task = tokio::spawn(keep_house(Arc::downgrade(&store.0)));
        *store.0.housekeeping.lock() = Some(task.abort_handle());
        Ok(store)
    }

    /// Begins a transaction. Dropping it rolls it back.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx {
            db: self.0.db.begin().await?,
            changes: Changes::default(),
            wakes_schedules: false,
            store: self.clone(),
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db().one("SELECT 1", &[]).await?;
        Ok(())
    }

    /// A number that grows with every commit that copies of rows go stale by. While it stays, so
    /// does whatever was made from [`Self::server`], [`Self::access`] and [`Self::servers_of`]
    /// alone; note it before asking them.
    pub fn generation(&self) -> u64 {
        self.caches().generation()
    }

    fn db(&self) -> &Db {
        &self.0.db
    }

    fn caches(&self) -> &Caches {
        &self.0.caches
    }

    fn buffer(&self) -> &Buffer {
        &self.0.buffer
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

/// Changes that become visible together, or not at all.
#[derive(Debug)]
pub struct Tx {
    db: hatchery_db::Tx,
    changes: Changes,
    wakes_schedules: bool,
    store: Store,
}

impl Tx {
    /// Makes the changes permanent and drops what they made stale from the caches. Ends even if
    /// the caller is cancelled while it waits.
    pub async fn commit(self) -> Result<Changes, StoreError> {
        self.commit_then(|| ()).await
    }

    /// Commits, and calls `then` if that succeeds, even for a cancelled caller.
    async fn commit_then(
        self,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<Changes, StoreError> {
        let changes = Arc::new(self.changes);
        let (store, stale) = (self.store, Arc::clone(&changes));
        let wakes_schedules = self.wakes_schedules;
        let committed = move || {
            if *stale != Changes::default() {
                store.caches().apply(&stale);
            }
            if wakes_schedules {
                store.0.schedule_commits.send_modify(|count| *count += 1);
            }
            then();
        };
        self.db.commit(committed).await?;
        Ok(Arc::unwrap_or_clone(changes))
    }

    fn db(&mut self) -> &mut hatchery_db::Tx {
        &mut self.db
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// Whoever carries out schedules is to look again once this is committed.
    const fn wakes_schedules(&mut self) {
        self.wakes_schedules = true;
    }

    fn entropy(&self) -> &dyn Entropy {
        &*self.store.0.entropy
    }

    /// Fails when `count` finds as many rows of the owner as there may be. `lock` touches the
    /// owner's row, so that on PostgreSQL, too, two such transactions come one after the other.
    async fn within_limit(
        &mut self,
        lock: &str,
        count: &str,
        owner: impl Param,
        limit: u64,
    ) -> Result<(), StoreError> {
        self.db.exec(lock, &params![owner]).await?;
        let there: u64 = cell(self.db.one(count, &params![owner]).await?)?;
        if there < limit {
            Ok(())
        } else {
            Err(StoreError::LimitReached { limit })
        }
    }
}

/// Writes behind, drops copies that others made stale, and keeps SQLite's log short.
async fn keep_house(store: std::sync::Weak<Inner>) {
    let mut flush = tokio::time::interval(FLUSH_EVERY);
    let mut look = tokio::time::interval(LOOK_FOR_OTHERS_EVERY);
    let mut checkpoint = tokio::time::interval(CHECKPOINT_EVERY);
    let mut news = tokio::time::interval(SHARED_NEWS_EVERY);
    for interval in [&mut flush, &mut look, &mut checkpoint, &mut news] {
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    loop {
        let result = tokio::select! {
            _ = flush.tick() => match store.upgrade().map(Store) {
                Some(store) => store.flush().await,
                None => return,
            },
            _ = look.tick() => match store.upgrade().map(Store) {
                Some(store) => store.look_for_others(),
                None => return,
            },
            _ = checkpoint.tick() => match store.upgrade().map(Store) {
                Some(store) => store.db().checkpoint().await.map_err(StoreError::from),
                None => return,
            },
            _ = news.tick() => match store.upgrade().map(Store) {
                Some(store) => {
                    if store.db().is_shared() {
                        store.others_committed();
                    }
                    Ok(())
                }
                None => return,
            },
        };
        if let Err(error) = result {
            tracing::warn!(%error, "the database's housekeeping was put off");
        }
    }
}

impl Store {
    /// Drops every copy if another process has written to the SQLite file since the last call, or
    /// may have written to PostgreSQL.
    pub(crate) fn look_for_others(&self) -> Result<(), StoreError> {
        if self.db().is_shared() {
            self.caches().clear();
        } else if self.db().external_changes()? {
            self.others_committed();
        }
        Ok(())
    }

    fn others_committed(&self) {
        self.caches().clear();
        self.0.external_commits.send_modify(|count| *count += 1);
    }

    /// Changes whenever another process may have committed something: within a second on SQLite,
    /// every two seconds on PostgreSQL.
    pub fn external_commits(&self) -> watch::Receiver<u64> {
        self.0.external_commits.subscribe()
    }

    /// Changes whenever this process committed something by which a schedule or a task may be due
    /// earlier than it was.
    pub fn schedule_commits(&self) -> watch::Receiver<u64> {
        self.0.schedule_commits.subscribe()
    }

    /// Writes down what is waiting and moves SQLite's log into its file. The last thing to do.
    pub async fn close(&self) -> Result<(), StoreError> {
        if let Some(task) = self.0.housekeeping.lock().take() {
            task.abort();
        }
        self.flush().await?;
        Ok(self.db().checkpoint().await?)
    }
}
