//! Creating a database.

use hatchery_dbhost::{Host, HostError, Session};
use hatchery_store::{Database, DatabaseHost, NewDatabase, ServerSnapshot, StoreError, Subject};

use super::{ChangeError, leftovers, name, open, tenant, way_to};
use crate::Cx;
use crate::access::{Access, needs};
use crate::activity::Event;
use crate::detached::to_the_end;

/// Why no database was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There is no host that this server may use.
    #[error("no database host is there for this server")]
    NoHost,
    /// The operator switched it off.
    #[error("databases are switched off for users")]
    Disabled,
    /// The server has as many as it may have.
    #[error("the server has as many databases as it may have")]
    LimitReached,
    /// The server has one of this name.
    #[error("there is a database of this name")]
    Duplicate,
    /// The host failed. Nothing is left on it, or what is left will be cleared away.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<ChangeError> for CreateError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Gone => Self::NoHost,
            ChangeError::Host(error) => Self::Host(error),
            ChangeError::Store(error) => Self::Store(error),
        }
    }
}

impl From<StoreError> for CreateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LimitReached { .. } => Self::LimitReached,
            error if error.unique() == Some("databases_host_name") => Self::Duplicate,
            // Host or server went away just now.
            error if error.is_reference() => Self::NoHost,
            other => Self::Store(other),
        }
    }
}

/// Creates a database with an account that may connect from `remote`.
pub async fn create(
    cx: &Cx,
    access: &Access<needs::DatabaseCreate>,
    name: &str,
    remote: &str,
) -> Result<Database, CreateError> {
    let host = choose_host(cx, &access.server).await?;
    let host = host.ok_or(CreateError::NoHost)?;
    if !cx.settings().client_databases.enabled {
        return Err(CreateError::Disabled);
    }
    let server = access.server.id;
    let database = NewDatabase {
        server_id: server,
        host_id: host.id,
        name: name::database(server, name),
        username: name::username(server, cx.entropy()),
        remote: remote.to_owned(),
        password: name::password(cx.entropy()),
        max_connections: None,
    };
    let limit = access.server.feature_limits.databases.map(u64::from);
    let database = to_the_end(place(cx.clone(), way_to(&host), database, limit)).await?;
    Event::new("server:database.create")
        .with("name", database.name.as_str())
        .about(Subject::Database(database.id))
        .on_server(cx, access);
    Ok(database)
}

/// A random one of the hosts of the server's node; where there are none, of all hosts, if the
/// operator allows that (client-api.md §9.2).
async fn choose_host(cx: &Cx, server: &ServerSnapshot) -> Result<Option<DatabaseHost>, StoreError> {
    let mut hosts = cx.store().database_hosts().await?;
    let of_node = |host: &DatabaseHost| host.node_id == Some(server.node.id);
    if hosts.iter().any(of_node) {
        hosts.retain(of_node);
    } else if !cx.settings().client_databases.any_host {
        return Ok(None);
    }
    if hosts.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        hosts.swap_remove(name::below(cx.entropy(), hosts.len())),
    ))
}

/// Writes the row, makes the database, shows the row; or leaves nothing.
async fn place(
    cx: Cx,
    host: Host,
    new: NewDatabase,
    limit: Option<u64>,
) -> Result<Database, CreateError> {
    // A server that left something on this host gets nothing new there until that is cleared away,
    // so leftovers never pile up, and none has the name of the new database.
    for leftover in cx.store().database_leftovers_of(new.server_id).await? {
        if leftover.host_id == new.host_id {
            leftovers::clear(&cx, &host, &leftover).await?;
        }
    }
    let mut tx = cx.store().begin().await?;
    let database = tx.reserve_database(&new, limit).await?;
    tx.commit().await?;
    let made = match open(&cx, &host, &database.name).await {
        Ok(session) => make(&cx, session, &database).await,
        Err(error) => Err(Failed::Untouched(error.into())),
    };
    match made {
        Ok(()) => Ok(database),
        Err(Failed::Untouched(error)) => {
            leftovers::forget(&cx, &database).await?;
            Err(error)
        }
        Err(Failed::HalfWay(error)) => {
            leftovers::give_up(&cx, &host, &database).await;
            Err(error)
        }
    }
}

/// Where creating a database failed.
enum Failed {
    /// Before anything was made on the host.
    Untouched(CreateError),
    /// After something may have been made.
    HalfWay(CreateError),
}

/// Makes the database on its host and shows the row. The session ends here, and its lock with it.
async fn make(cx: &Cx, mut session: Session, database: &Database) -> Result<(), Failed> {
    match session.create(&tenant(database)).await {
        Ok(()) => {}
        Err(HostError::Exists) => return Err(Failed::Untouched(CreateError::Duplicate)),
        Err(error) => return Err(Failed::HalfWay(error.into())),
    }
    match show(cx, database).await {
        Ok(true) => {
            session.close().await;
            Ok(())
        }
        // Somebody took it for abandoned.
        Ok(false) => Err(Failed::HalfWay(HostError::TimedOut.into())),
        Err(error) => Err(Failed::HalfWay(error.into())),
    }
}

async fn show(cx: &Cx, database: &Database) -> Result<bool, StoreError> {
    let mut tx = cx.store().begin().await?;
    let shown = tx.set_database_ready(database.id).await?;
    tx.commit().await?;
    Ok(shown)
}
