//! Database hosts, as an administrator adds, checks and removes them.

use hatchery_dbhost::{Host, HostError, Tenant};
use hatchery_store::{DatabaseHost, NewDatabaseHost, StoreError};
use hatchery_vocab::DatabaseHostId;

use super::{name, open, way_to};
use crate::Cx;

/// Why a host was not added or removed.
#[derive(Debug, thiserror::Error)]
pub enum HostProblem {
    /// It cannot do what it is for.
    #[error(transparent)]
    Host(#[from] HostError),
    /// There are databases on it.
    #[error("there are databases on this host: delete them first")]
    InUse,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for HostProblem {
    fn from(error: StoreError) -> Self {
        if error.is_reference() {
            Self::InUse
        } else {
            Self::Store(error)
        }
    }
}

/// Adds a host that works. Gives its id and the version of its server.
pub async fn add_host(
    cx: &Cx,
    host: &NewDatabaseHost,
) -> Result<(DatabaseHostId, String), HostProblem> {
    let way = Host {
        engine: host.engine,
        address: host.host.clone(),
        port: host.port.get(),
        username: host.username.clone(),
        password: host.password.expose().to_owned(),
    };
    let version = try_out(cx, &way).await?;
    let mut tx = cx.store().begin().await?;
    let id = tx.create_database_host(host).await?;
    tx.commit().await?;
    Ok((id, version))
}

/// Checks that a host does what it is for, and gives the version of its server.
pub async fn check_host(cx: &Cx, host: &DatabaseHost) -> Result<String, HostError> {
    try_out(cx, &way_to(host)).await
}

/// Removes a host that has no databases. Says whether there was one.
pub async fn remove_host(cx: &Cx, id: DatabaseHostId) -> Result<bool, HostProblem> {
    let mut tx = cx.store().begin().await?;
    let removed = tx.delete_database_host(id).await?;
    tx.commit().await?;
    Ok(removed)
}

/// Makes a database, changes its password and drops it: whatever privilege is missing shows.
async fn try_out(cx: &Cx, host: &Host) -> Result<String, HostError> {
    const RANDOM: usize = 8;
    let random = cx.entropy().alphanumeric(RANDOM).to_ascii_lowercase();
    let name = format!("hatchery_check_{random}");
    let password = name::password(cx.entropy());
    let tenant = Tenant {
        database: &name,
        username: &name,
        remote: "%",
        password: password.expose(),
        max_connections: None,
    };
    let mut session = open(cx, host, &name).await?;
    let tried = async {
        let version = session.version().await?;
        session.create(&tenant).await?;
        session.set_password(&tenant).await?;
        Ok(version)
    };
    let tried: Result<String, HostError> = tried.await;
    let cleared = session.discard(&tenant).await;
    let version = tried?;
    cleared?;
    session.close().await;
    Ok(version)
}
