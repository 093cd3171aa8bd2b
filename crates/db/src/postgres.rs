//! PostgreSQL: a fixed set of connections for reads, used in turn with several queries under way
//! on each, and a small set for transactions. Lost connections are made anew by the next caller;
//! until the server answers again, callers get [`DbError::Unavailable`].

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::migrate::{self, Dialect};
use crate::{DbError, Migration, Row, Value};

/// Connections for reads.
const READERS: usize = 4;
/// Transactions at the same time.
const WRITERS: usize = 4;
/// Statements that each connection keeps prepared; all are dropped when there are more.
const STATEMENTS: usize = 512;
/// How long a connection may take to be made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait for a free connection for a transaction.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);
/// The advisory lock under which schemas change: any number that nobody else uses.
const MIGRATION_LOCK: i64 = 0x4861_7463_6865_7279;

pub(crate) struct Postgres {
    server: Server,
    readers: Vec<tokio::sync::Mutex<Option<Arc<Client>>>>,
    next_reader: AtomicUsize,
    writers: Arc<Writers>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Postgres {
    pub(crate) async fn open(url: &str, migrations: &[Migration]) -> Result<Self, DbError> {
        let server = Server::parse(url)?;
        let mut client = server.connect().await?;
        apply(&mut client.inner, migrations).await?;
        Ok(Self {
            server,
            readers: (0..READERS)
                .map(|_| tokio::sync::Mutex::new(None))
                .collect(),
            next_reader: AtomicUsize::new(0),
            writers: Arc::new(Writers {
                permits: Arc::new(Semaphore::new(WRITERS)),
                idle: Mutex::new(vec![client]),
            }),
        })
    }

    pub(crate) async fn read(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed) % READERS;
        let client = {
            // Held while connecting, so that one caller connects and the others wait for it.
            let mut slot = self.readers[turn].lock().await;
            match slot.as_ref().filter(|client| client.is_alive()) {
                Some(client) => Arc::clone(client),
                None => Arc::clone(slot.insert(Arc::new(self.server.connect().await?))),
            }
        };
        client.query(sql, params).await
    }

    pub(crate) async fn begin(&self) -> Result<PostgresTx, DbError> {
        let permit = Arc::clone(&self.writers.permits).acquire_owned();
        let permit = tokio::time::timeout(WRITE_PATIENCE, permit)
            .await
            .map_err(|_| DbError::Busy)?
            .map_err(|_| DbError::Busy)?;
        loop {
            let idle = self.writers.idle.lock().pop();
            let client = match idle {
                Some(client) if client.is_alive() => client,
                Some(_) => continue,
                None => self.server.connect().await?,
            };
            // A transaction exists from here on, also if this very call is cancelled.
            let tx = PostgresTx {
                client: Some(client),
                writers: Arc::clone(&self.writers),
                permit: Some(permit),
            };
            tx.client()?.batch("BEGIN").await?;
            return Ok(tx);
        }
    }
}

struct Writers {
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Client>>,
}

pub(crate) struct PostgresTx {
    /// Present until commit or roll-back takes it.
    client: Option<Client>,
    writers: Arc<Writers>,
    permit: Option<OwnedSemaphorePermit>,
}

impl fmt::Debug for PostgresTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTx").finish_non_exhaustive()
    }
}

impl PostgresTx {
    fn client(&self) -> Result<&Client, DbError> {
        self.client.as_ref().ok_or(DbError::Aborted)
    }

    pub(crate) async fn exec(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.client()?.exec(sql, params).await
    }

    pub(crate) async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.client()?.query(sql, params).await
    }

    pub(crate) async fn commit(
        mut self,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<(), DbError> {
        let client = self.client.take().ok_or(DbError::Aborted)?;
        let permit = self.permit.take();
        let writers = Arc::clone(&self.writers);
        // A task of its own: it must come to its end even if nobody waits for it.
        let committed = tokio::spawn(async move {
            client.batch("COMMIT").await?;
            then();
            writers.idle.lock().push(client);
            drop(permit);
            Ok(())
        });
        committed
            .await
            .map_err(|error| DbError::Unavailable(error.to_string()))?
    }
}

impl Drop for PostgresTx {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else {
            return;
        };
        let (permit, writers) = (self.permit.take(), Arc::clone(&self.writers));
        // Without a runtime the connection closes, and the server rolls back.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if client.batch("ROLLBACK").await.is_ok() {
                    writers.idle.lock().push(client);
                }
                drop(permit);
            });
        }
    }
}

/// Where to connect, and how.
struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Server {
    /// With `sslmode=require` the connection is encrypted and the server's certificate must be
    /// valid. Every other mode connects in the clear: encryption that anybody in between can turn
    /// off would only look safe.
    fn parse(url: &str) -> Result<Self, DbError> {
        // The error's own text may repeat a part of the URL, which holds a password.
        let mut config: Config = url.parse().map_err(|_| {
            DbError::Open(
                "the URL must look like postgres://user:password@host/database, with \
                 sslmode=disable or sslmode=require if any"
                    .to_owned(),
            )
        })?;
        config
            .connect_timeout(CONNECT_PATIENCE)
            .application_name("hatchery");
        let tls = match config.get_ssl_mode() {
            SslMode::Require => Some(tls()?),
            _ => None,
        };
        Ok(Self { config, tls })
    }

    async fn connect(&self) -> Result<Client, DbError> {
        let connecting = async {
            if let Some(tls) = &self.tls {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                tokio::spawn(drive(connection));
                Ok(client)
            } else {
                let (client, connection) = self.config.connect(NoTls).await?;
                tokio::spawn(drive(connection));
                Ok(client)
            }
        };
        let inner = tokio::time::timeout(CONNECT_PATIENCE, connecting)
            .await
            .map_err(|_| DbError::Unavailable("no answer in time".to_owned()))?
            .map_err(|error: tokio_postgres::Error| DbError::Unavailable(describe(&error)))?;
        Ok(Client {
            inner,
            statements: Mutex::default(),
        })
    }
}

/// Carries a connection's bytes until it ends; its callers learn of the end by their own errors.
async fn drive<S, T>(connection: tokio_postgres::Connection<S, T>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    if let Err(error) = connection.await {
        tracing::warn!(error = %describe(&error), "a connection to PostgreSQL was lost");
    }
}

fn tls() -> Result<MakeRustlsConnect, DbError> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(|error| DbError::Open(error.to_string()))?
    .with_root_certificates(roots)
    .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

struct Client {
    inner: tokio_postgres::Client,
    statements: Mutex<HashMap<String, Statement>>,
}

impl Client {
    fn is_alive(&self) -> bool {
        !self.inner.is_closed()
    }

    async fn prepare(&self, sql: &str) -> Result<Statement, DbError> {
        let known = self.statements.lock().get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self
            .inner
            .prepare(sql)
            .await
            .map_err(|error| translate(&error))?;
        let mut statements = self.statements.lock();
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let statement = self.prepare(sql).await?;
        let params = references(params, &statement)?;
        let rows = self
            .inner
            .query(&statement, &params)
            .await
            .map_err(|error| translate(&error))?;
        rows.iter()
            .map(|row| {
                (0..row.len())
                    .map(|column| row.try_get(column))
                    .collect::<Result<_, _>>()
                    .map(Row)
                    .map_err(|error| translate(&error))
            })
            .collect()
    }

    async fn exec(&self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let statement = self.prepare(sql).await?;
        let params = references(params, &statement)?;
        self.inner
            .execute(&statement, &params)
            .await
            .map_err(|error| translate(&error))
    }

    async fn batch(&self, sql: &str) -> Result<(), DbError> {
        self.inner
            .batch_execute(sql)
            .await
            .map_err(|error| translate(&error))
    }
}

/// The parameters that the statement has; the driver would panic on another number.
fn references<'a>(
    params: &'a [Value],
    statement: &Statement,
) -> Result<Vec<&'a (dyn ToSql + Sync)>, DbError> {
    let wanted = statement.params().len();
    let params = params.get(..wanted).ok_or_else(|| {
        DbError::Query(format!(
            "{wanted} parameters are needed, {} given",
            params.len()
        ))
    })?;
    Ok(params
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect())
}

async fn apply(
    client: &mut tokio_postgres::Client,
    migrations: &[Migration],
) -> Result<(), DbError> {
    let refuse = |error: tokio_postgres::Error| DbError::Migration(describe(&error));
    let transaction = client.transaction().await.map_err(refuse)?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK])
        .await
        .map_err(refuse)?;
    transaction
        .batch_execute(migrate::CREATE_LEDGER)
        .await
        .map_err(refuse)?;
    let applied: Vec<(String, String)> = transaction
        .query(migrate::READ_LEDGER, &[])
        .await
        .map_err(refuse)?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, _>>()
        .map_err(refuse)?;
    for migration in migrate::pending(migrations, &applied, Dialect::Postgres)? {
        let named = |error: tokio_postgres::Error| {
            DbError::Migration(format!("{}: {}", migration.name, describe(&error)))
        };
        transaction
            .batch_execute(migration.postgres)
            .await
            .map_err(named)?;
        let checksum = migration.checksum(Dialect::Postgres);
        transaction
            .execute(migrate::WRITE_LEDGER, &[&migration.name, &checksum])
            .await
            .map_err(named)?;
    }
    transaction.commit().await.map_err(refuse)
}

fn translate(error: &tokio_postgres::Error) -> DbError {
    let Some(refusal) = error.as_db_error() else {
        return if error.is_closed()
            || std::error::Error::source(error)
                .is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        {
            DbError::Unavailable(describe(error))
        } else {
            DbError::Query(describe(error))
        };
    };
    let code = refusal.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        DbError::Unique {
            constraint: refusal.constraint().unwrap_or_default().to_owned(),
        }
    } else if *code == SqlState::FOREIGN_KEY_VIOLATION || *code == SqlState::RESTRICT_VIOLATION {
        DbError::ForeignKey
    } else if *code == SqlState::T_R_SERIALIZATION_FAILURE
        || *code == SqlState::T_R_DEADLOCK_DETECTED
    {
        DbError::Busy
    } else if code.code().starts_with("57P") || code.code().starts_with("08") {
        DbError::Unavailable(describe(error))
    } else {
        DbError::Query(describe(error))
    }
}

/// The error with its cause: the driver's own text is only "db error".
fn describe(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
