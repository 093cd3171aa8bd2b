//! SQLite: a few connections for reading, two threads for reading much, one connection for
//! writing.

use std::collections::HashMap;
use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::functions::FunctionFlags;
use rusqlite::{CachedStatement, Connection, ErrorCode, ffi};
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};

use crate::migrate::{self, Dialect};
use crate::{DbError, Migration, Row, Value};

/// Connections for reads on the calling thread.
const READERS: usize = 4;
/// Threads for reads that take long, each with its own connection.
const SCANNERS: usize = 2;
/// Scans that may wait for a thread; further callers wait before they queue.
const SCAN_QUEUE: usize = 64;
/// Statements that each connection keeps prepared.
const STATEMENTS: usize = 256;
/// Page cache of each connection, in KiB.
const PAGE_CACHE_KIB: u32 = 1024;
/// How much of the file is read by mapping it instead of copying.
const MAPPED_BYTES: u64 = 64 << 20;
/// How long to wait for other writers, in this process and in others.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);
/// The pause before asking again for a file that another process is writing to.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

type Job = Box<dyn FnOnce(&Connection) + Send>;
/// Index names by the columns that SQLite reports instead, such as `users.email`.
type Constraints = HashMap<String, String>;

pub(crate) struct Sqlite {
    readers: Vec<Mutex<Connection>>,
    next_reader: AtomicUsize,
    scans: mpsc::Sender<Job>,
    writer: Arc<tokio::sync::Mutex<Connection>>,
    constraints: Arc<Constraints>,
    /// SQLite's counter of foreign changes, as last seen by the writing connection.
    data_version: Mutex<i64>,
    /// Whether anything was committed since the last checkpoint.
    dirty: Arc<AtomicBool>,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").finish_non_exhaustive()
    }
}

impl Sqlite {
    pub(crate) async fn open(path: &Path, migrations: &[Migration]) -> Result<Self, DbError> {
        let path = path.to_owned();
        let migrations = migrations.to_vec();
        tokio::task::spawn_blocking(move || Self::open_blocking(&path, &migrations))
            .await
            .map_err(|error| DbError::Open(error.to_string()))?
    }

    fn open_blocking(path: &Path, migrations: &[Migration]) -> Result<Self, DbError> {
        let refuse =
            |error: &dyn fmt::Display| DbError::Open(format!("{}: {error}", path.display()));
        // The file holds secrets, and SQLite gives its companions the same mode.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| refuse(&error))?;
        let mut writer = connect(path, Use::Write).map_err(|error| refuse(&error))?;
        apply(&mut writer, path, migrations)?;
        let constraints = Arc::new(unique_indexes(&writer).map_err(|error| refuse(&error))?);
        let data_version = data_version(&writer).map_err(|error| refuse(&error))?;
        let readers = (0..READERS)
            .map(|_| connect(path, Use::Read).map(Mutex::new))
            .collect::<Result<_, _>>()
            .map_err(|error| refuse(&error))?;
        let (scans, queue) = mpsc::channel::<Job>(SCAN_QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..SCANNERS {
            let connection = connect(path, Use::Read).map_err(|error| refuse(&error))?;
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name("db-scan".to_owned())
                .spawn(move || {
                    while let Some(job) = { queue.lock().blocking_recv() } {
                        job(&connection);
                    }
                })
                .map_err(|error| refuse(&error))?;
        }
        Ok(Self {
            readers,
            next_reader: AtomicUsize::new(0),
            scans,
            writer: Arc::new(tokio::sync::Mutex::new(writer)),
            constraints,
            data_version: Mutex::new(data_version),
            dirty: Arc::new(AtomicBool::new(false)),
        })
    }

    pub(crate) fn read(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let start = self.next_reader.fetch_add(1, Ordering::Relaxed);
        let connection = (0..READERS)
            .find_map(|offset| self.readers[(start + offset) % READERS].try_lock())
            .unwrap_or_else(|| self.readers[start % READERS].lock());
        query(&connection, sql, params).map_err(|error| translate(&error, &self.constraints))
    }

    pub(crate) async fn scan(&self, sql: String, params: Vec<Value>) -> Result<Vec<Row>, DbError> {
        let constraints = Arc::clone(&self.constraints);
        self.on_scanner(move |connection| {
            query(connection, &sql, &params).map_err(|error| translate(&error, &constraints))
        })
        .await
    }

    async fn on_scanner<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more when the caller was cancelled.
            let _ = reply.send(job(connection));
        });
        let gone = || DbError::Unavailable("its threads have ended".to_owned());
        self.scans.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    pub(crate) async fn begin(&self) -> Result<SqliteTx, DbError> {
        let begin = async {
            let connection = Arc::clone(&self.writer).lock_owned().await;
            loop {
                match connection.execute_batch("BEGIN IMMEDIATE") {
                    Ok(()) => return Ok(connection),
                    Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                        tokio::time::sleep(BUSY_PAUSE).await;
                    }
                    Err(error) => return Err(translate(&error, &self.constraints)),
                }
            }
        };
        let connection = tokio::time::timeout(WRITE_PATIENCE, begin)
            .await
            .map_err(|_| DbError::Busy)??;
        Ok(SqliteTx {
            connection: Some(connection),
            constraints: Arc::clone(&self.constraints),
            dirty: Arc::clone(&self.dirty),
        })
    }

    pub(crate) fn external_changes(&self) -> Result<bool, DbError> {
        // While a transaction is open nobody else can write: the next call will see the rest.
        let Ok(connection) = self.writer.try_lock() else {
            return Ok(false);
        };
        let now =
            data_version(&connection).map_err(|error| translate(&error, &self.constraints))?;
        Ok(std::mem::replace(&mut *self.data_version.lock(), now) != now)
    }

    pub(crate) async fn checkpoint(&self) -> Result<(), DbError> {
        if !self.dirty.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let constraints = Arc::clone(&self.constraints);
        self.on_scanner(move |connection| {
            // Readers that are still busy only make it stop early.
            query(connection, "PRAGMA wal_checkpoint(PASSIVE)", &[])
                .map(drop)
                .map_err(|error| translate(&error, &constraints))
        })
        .await
    }
}

pub(crate) struct SqliteTx {
    /// Present until the commit takes it.
    connection: Option<OwnedMutexGuard<Connection>>,
    constraints: Arc<Constraints>,
    dirty: Arc<AtomicBool>,
}

impl fmt::Debug for SqliteTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteTx").finish_non_exhaustive()
    }
}

impl SqliteTx {
    pub(crate) fn exec(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.on(|connection| {
            let mut statement = prepare(connection, sql, params)?;
            statement.raw_execute().map(|rows| rows as u64)
        })
    }

    pub(crate) fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.on(|connection| query(connection, sql, params))
    }

    fn on<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, DbError> {
        let connection = self.connection.as_ref().ok_or(DbError::Aborted)?;
        work(connection).map_err(|error| translate(&error, &self.constraints))
    }

    pub(crate) async fn commit(
        mut self,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<(), DbError> {
        let connection = self.connection.take().ok_or(DbError::Aborted)?;
        let constraints = Arc::clone(&self.constraints);
        let dirty = Arc::clone(&self.dirty);
        // The flush to the disk may take milliseconds, which no worker thread can spare.
        let committed = tokio::task::spawn_blocking(move || {
            let result = connection.execute_batch("COMMIT");
            if let Err(error) = result {
                roll_back(&connection);
                return Err(translate(&error, &constraints));
            }
            dirty.store(true, Ordering::Release);
            then();
            Ok(())
        });
        committed
            .await
            .map_err(|error| DbError::Unavailable(error.to_string()))?
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            roll_back(&connection);
        }
    }
}

fn roll_back(connection: &Connection) {
    // Some failures have rolled back already.
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "a transaction could not be rolled back");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Write,
}

fn connect(path: &Path, purpose: Use) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Another process may be opening or closing the file; this runs on a thread that may block.
    connection.busy_timeout(WRITE_PATIENCE)?;
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -{PAGE_CACHE_KIB};
         PRAGMA mmap_size = {MAPPED_BYTES};
         PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA trusted_schema = OFF;"
    ))?;
    if purpose == Use::Write {
        switch_to_log(&connection)?;
        connection.pragma_update(None, "synchronous", "full")?;
    } else {
        connection.pragma_update(None, "query_only", true)?;
    }
    // SQLite's own lower() knows ASCII only; PostgreSQL's migration defines the same name.
    connection.create_scalar_function(
        "fold",
        1,
        FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_INNOCUOUS,
        |context| {
            Ok(context
                .get::<Option<String>>(0)?
                .map(|text| text.to_lowercase()))
        },
    )?;
    // The first read joins the log. From then on nobody locks readers out, and a writer must not
    // wait inside SQLite, which would hold up a worker thread: `begin` waits outside.
    connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

/// Another process may be switching the same new file at this moment, and for this one statement
/// SQLite does not wait by itself. This runs on a thread that may block.
fn switch_to_log(connection: &Connection) -> rusqlite::Result<()> {
    let mut waited = Duration::ZERO;
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && waited < WRITE_PATIENCE =>
            {
                std::thread::sleep(BUSY_PAUSE);
                waited += BUSY_PAUSE;
            }
            result => return result,
        }
    }
}

/// A statement with its parameters bound.
///
/// To SQLite `$2` is a *name*, and names are numbered by first appearance: in
/// `SET hits = hits + $2 WHERE id = $1` the first parameter is the one called `$2`. So values are
/// bound by the number in the name, never by position.
fn prepare<'a>(
    connection: &'a Connection,
    sql: &str,
    params: &[Value],
) -> rusqlite::Result<CachedStatement<'a>> {
    let mut statement = connection.prepare_cached(sql)?;
    let count = statement.parameter_count();
    if count > params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), count));
    }
    for index in 1..=count {
        let number: Option<usize> = statement
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|digits| digits.parse().ok());
        let value = number.and_then(|number| params.get(number.wrapping_sub(1)));
        let value = value.ok_or(rusqlite::Error::InvalidParameterCount(params.len(), count))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(statement)
}

fn query(connection: &Connection, sql: &str, params: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = prepare(connection, sql, params)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut result = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = (0..columns)
            .map(|column| row.get(column))
            .collect::<Result<_, _>>()?;
        result.push(Row(cells));
    }
    Ok(result)
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

/// SQLite names the columns of a violated index, not the index; PostgreSQL names the index.
fn unique_indexes(connection: &Connection) -> rusqlite::Result<Constraints> {
    let mut statement = connection.prepare(
        "SELECT t.name || '.' || c.name, i.name
         FROM sqlite_schema AS t
         JOIN pragma_index_list(t.name) AS i
         JOIN pragma_index_info(i.name) AS c
         WHERE t.type = 'table' AND i.\"unique\" = 1 AND c.name IS NOT NULL
         ORDER BY i.name, c.seqno",
    )?;
    let mut by_index: HashMap<String, Vec<String>> = HashMap::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        by_index.entry(row.get(1)?).or_default().push(row.get(0)?);
    }
    Ok(by_index
        .into_iter()
        .map(|(index, columns)| (columns.join(", "), index))
        .collect())
}

fn translate(error: &rusqlite::Error, constraints: &Constraints) -> DbError {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return DbError::Query(error.to_string());
    };
    match (code.code, code.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER) => {
            DbError::ForeignKey
        }
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            let message = message.as_deref().unwrap_or_default();
            let what = message
                .strip_prefix("UNIQUE constraint failed: ")
                .unwrap_or(message);
            // An index over expressions is named at once: `index 'users_email'`.
            let named = what
                .strip_prefix("index '")
                .and_then(|rest| rest.strip_suffix('\''));
            let constraint = named.map_or_else(
                || {
                    constraints
                        .get(what)
                        .cloned()
                        .unwrap_or_else(|| what.to_owned())
                },
                str::to_owned,
            );
            DbError::Unique { constraint }
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => DbError::Busy,
        (ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen, _) => {
            DbError::Unavailable(error.to_string())
        }
        _ => DbError::Query(error.to_string()),
    }
}

fn apply(
    connection: &mut Connection,
    path: &Path,
    migrations: &[Migration],
) -> Result<(), DbError> {
    let refuse = |error: rusqlite::Error| DbError::Migration(error.to_string());
    // This runs on a thread that may wait.
    connection.busy_timeout(WRITE_PATIENCE).map_err(refuse)?;
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(refuse)?;
    transaction
        .execute_batch(migrate::CREATE_LEDGER)
        .map_err(refuse)?;
    let applied: Vec<(String, String)> = transaction
        .prepare(migrate::READ_LEDGER)
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .map_err(refuse)?;
    let pending = migrate::pending(migrations, &applied, Dialect::Sqlite)?;
    if let (Some(first), false) = (pending.first(), applied.is_empty()) {
        keep_copy(path, first.name)?;
    }
    for migration in pending {
        transaction
            .execute_batch(migration.sqlite)
            .and_then(|()| {
                let checksum = migration.checksum(Dialect::Sqlite);
                transaction.execute(migrate::WRITE_LEDGER, [migration.name, checksum.as_str()])
            })
            .map_err(|error| DbError::Migration(format!("{}: {error}", migration.name)))?;
    }
    transaction.commit().map_err(refuse)?;
    connection.busy_timeout(Duration::ZERO).map_err(refuse)
}

/// Copies the file as it was before the migration. A second connection does it, which sees what
/// was committed while ours holds the lock.
fn keep_copy(path: &Path, before: &str) -> Result<(), DbError> {
    let copy = PathBuf::from(format!("{}.before-{before}", path.display()));
    if copy.exists() {
        return Ok(());
    }
    Connection::open(path)
        .and_then(|source| source.execute("VACUUM INTO ?1", [copy.to_string_lossy()]))
        .map(|_| tracing::info!(copy = %copy.display(), "the database was copied before its migration"))
        .map_err(|error| DbError::Migration(format!("no copy could be made at {}: {error}", copy.display())))
}
