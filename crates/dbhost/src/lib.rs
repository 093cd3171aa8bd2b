//! Databases for game servers, on database servers that an operator lends to the panel.
//!
//! [`Hosts`] gives sessions on a [`Host`]; a [`Session`] makes, changes and drops a [`Tenant`]: one
//! database with one account that may use it. Nothing is decided here (who may, how many, on which
//! host), and the panel's own data is unknown.
//!
//! Every step has a time limit, a host gets only a few connections from us at once, and a
//! session locks the database that it works on, so that two panels on one database never work on
//! the same one. A name reaches a statement through [`quote`] alone, and no error repeats a
//! statement, which may hold a password.

mod error;
mod mysql;
mod postgres;
mod quote;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hatchery_vocab::DatabaseEngine;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

pub use error::{HostError, NameError};

/// How long a connection may take to be made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long the steps of one change may take together. Dropping a large database takes a while.
const WORK_PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait for somebody else who works on the same database.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for one of our connections to become free.
const QUEUE_PATIENCE: Duration = Duration::from_secs(10);
/// Connections to one host at once: creating databases is rare and quick, and a host's connections
/// are for games.
const CONNECTIONS: usize = 4;

/// A database server, and an account on it that may make others.
#[derive(Clone, PartialEq, Eq)]
pub struct Host {
    /// What kind it is.
    pub engine: DatabaseEngine,
    /// Its address or name.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// Our account.
    pub username: String,
    /// Our password.
    pub password: String,
}

impl fmt::Debug for Host {
    /// Leaves out the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("engine", &self.engine)
            .field("address", &self.address)
            .field("port", &self.port)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// A database and the account that may use it.
#[derive(Clone, Copy)]
pub struct Tenant<'a> {
    /// The database's name.
    pub database: &'a str,
    /// The account's name.
    pub username: &'a str,
    /// From where the account may connect, as MySQL writes it.
    pub remote: &'a str,
    /// The account's password.
    pub password: &'a str,
    /// How many connections the account may have; none or 0 is without limit.
    pub max_connections: Option<u32>,
}

impl fmt::Debug for Tenant<'_> {
    /// Leaves out the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("database", &self.database)
            .field("username", &self.username)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

/// Where a host listens: name or address, and port.
type Address = (String, u16);

/// The way to all hosts: it keeps count of our connections. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Arc<Mutex<HashMap<Address, Arc<Semaphore>>>>);

impl Hosts {
    /// Opens a session, when one of our connections to this host is free.
    pub async fn connect(&self, host: &Host) -> Result<Session, HostError> {
        let free = self.connections(host).acquire_owned();
        // The inner error would be a closed semaphore, and nobody closes it.
        let Ok(Ok(permit)) = timeout(QUEUE_PATIENCE, free).await else {
            return Err(HostError::Busy);
        };
        let wire = within(CONNECT_PATIENCE, async {
            Ok(match host.engine {
                DatabaseEngine::Mysql => Wire::Mysql(mysql::Client::connect(host).await?),
                DatabaseEngine::Postgres => Wire::Postgres(postgres::Client::connect(host).await?),
            })
        })
        .await?;
        Ok(Session {
            wire,
            _permit: permit,
        })
    }

    fn connections(&self, host: &Host) -> Arc<Semaphore> {
        let mut hosts = self.0.lock();
        // Hosts that nobody speaks to need no count.
        hosts.retain(|_, connections| Arc::strong_count(connections) > 1);
        Arc::clone(
            hosts
                .entry((host.address.clone(), host.port))
                .or_insert_with(|| Arc::new(Semaphore::new(CONNECTIONS))),
        )
    }
}

/// A connection to a host. Dropping it ends the connection, and whatever it locked is free.
#[derive(Debug)]
pub struct Session {
    wire: Wire,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Wire {
    Mysql(mysql::Client),
    Postgres(postgres::Client),
}

/// The same call on either engine, within a time.
macro_rules! on_either {
    ($session:ident, $patience:expr, $client:ident => $call:expr) => {
        match &mut $session.wire {
            Wire::Mysql($client) => within($patience, $call).await,
            Wire::Postgres($client) => within($patience, $call).await,
        }
    };
}

impl Session {
    /// Waits until nobody else works on the database of this name. To be called before anything
    /// is changed.
    pub async fn lock(&mut self, database: &str) -> Result<(), HostError> {
        // The server gives up first and says so.
        on_either!(self, LOCK_PATIENCE * 2, client => client.lock(database))
    }

    /// Makes the account, then the database, then lets the one use the other. When this fails, what
    /// was made is [`discard`](Self::discard)ed by the caller, on a new session if need be.
    ///
    /// # Errors
    /// [`HostError::Exists`] when there is a database of the name; nothing was made then.
    pub async fn create(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        // Before the account: an account of ours is the sign that the database is ours, too.
        if on_either!(self, WORK_PATIENCE, client => client.has_database(tenant.database))? {
            return Err(HostError::Exists);
        }
        on_either!(self, WORK_PATIENCE, client => client.create(tenant))
    }

    /// Gives the account the tenant's password.
    pub async fn set_password(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        on_either!(self, WORK_PATIENCE, client => client.set_password(tenant))
    }

    /// Drops the database, then the account, where they exist.
    pub async fn drop(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        on_either!(self, WORK_PATIENCE, client => client.drop(tenant))
    }

    /// Drops what [`create`](Self::create) may have made before it was cut short. A database whose
    /// account does not exist is not its work, and stays.
    pub async fn discard(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        if !on_either!(self, WORK_PATIENCE, client => client.has_user(tenant))? {
            return Ok(());
        }
        // Who may not make databases may not drop them either, not even one that does not exist.
        if on_either!(self, WORK_PATIENCE, client => client.has_database(tenant.database))? {
            return self.drop(tenant).await;
        }
        on_either!(self, WORK_PATIENCE, client => client.drop_account(tenant))
    }

    /// Which version the server says it is.
    pub async fn version(&mut self) -> Result<String, HostError> {
        on_either!(self, WORK_PATIENCE, client => client.version())
    }

    /// Says goodbye. Dropping a session ends it, too, only less politely.
    pub async fn close(self) {
        match self.wire {
            Wire::Mysql(client) => {
                // A server that does not answer the farewell is not waited for.
                let _ = timeout(CONNECT_PATIENCE, client.close()).await;
            }
            Wire::Postgres(client) => drop(client),
        }
    }
}

async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, HostError>>,
) -> Result<T, HostError> {
    timeout(patience, work)
        .await
        .unwrap_or(Err(HostError::TimedOut))
}
