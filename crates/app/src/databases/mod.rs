//! Databases of game servers: the rows here, the databases on their hosts by `hatchery-dbhost`.
//!
//! A row is written before its database is made and removed after it is gone, so nothing on a host
//! is ever unknown here. What a host that fails in the middle leaves behind is a *leftover*, which
//! [`clear_leftovers`] clears away later; nobody else sees it.

mod change;
mod create;
mod hosts;
mod leftovers;
mod name;

use hatchery_dbhost::{Host, Session, Tenant};
use hatchery_store::{Database, DatabaseHost, StoreError};
use hatchery_vocab::{DatabaseId, HASHID_LENGTH, Hashids};

pub use change::{ChangeError, delete, drop_all_of, rotate_password};
pub use create::{CreateError, create};
pub use hatchery_dbhost::HostError;
pub use hosts::{HostProblem, add_host, check_host, remove_host};
pub use leftovers::clear_leftovers;

use crate::Cx;
use crate::access::{Access, needs};

/// The setting with the salt of public ids. Without it, one is drawn when the first id is needed.
pub const HASHIDS_SALT: &str = "hashids.salt";
/// The setting with the least length of public ids.
pub const HASHIDS_LENGTH: &str = "hashids.length";
/// How long the reference's own salts are.
const SALT_LENGTH: usize = 20;

/// The server's databases, oldest first.
pub async fn list(
    cx: &Cx,
    access: &Access<needs::DatabaseRead>,
) -> Result<Vec<Database>, StoreError> {
    cx.store().databases_of(access.server.id).await
}

/// Finds a database by what stands in an address: digits alone are its row, anything else its public
/// id (client-api.md §9.4). It may belong to any server.
pub async fn find(cx: &Cx, name: &str) -> Result<Option<Database>, StoreError> {
    let id = if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        name.parse().ok()
    } else {
        public_ids(cx).await?.decode(name)
    };
    let Some(id) = id.and_then(|id| i64::try_from(id).ok()) else {
        return Ok(None);
    };
    cx.store().database(DatabaseId::new(id)).await
}

/// The public ids of databases.
pub async fn public_ids(cx: &Cx) -> Result<Hashids, StoreError> {
    let salt = match cx.store().setting(HASHIDS_SALT).await? {
        Some(salt) => salt,
        None => first_salt(cx).await?,
    };
    let length = cx.store().setting(HASHIDS_LENGTH).await?;
    let length = length.and_then(|length| length.parse().ok());
    Ok(Hashids::new(&salt, length.unwrap_or(HASHID_LENGTH)))
}

/// Draws the salt, unless somebody else has just done so: of two, the first stays.
async fn first_salt(cx: &Cx) -> Result<String, StoreError> {
    let mut tx = cx.store().begin().await?;
    let drawn = cx.entropy().alphanumeric(SALT_LENGTH);
    let salt = tx.setting_or(HASHIDS_SALT, &drawn).await?;
    tx.commit().await?;
    Ok(salt)
}

/// A host as `hatchery-dbhost` speaks to it.
fn way_to(host: &DatabaseHost) -> Host {
    Host {
        engine: host.engine,
        address: host.host.clone(),
        port: host.port.get(),
        username: host.username.clone(),
        password: host.password.expose().to_owned(),
    }
}

/// Opens a session that works on the database of this name, alone.
async fn open(cx: &Cx, host: &Host, database: &str) -> Result<Session, HostError> {
    let mut session = cx.database_hosts().connect(host).await?;
    session.lock(database).await?;
    Ok(session)
}

/// The host of a database.
async fn host_of(cx: &Cx, database: &Database) -> Result<Host, ChangeError> {
    let host = cx.store().database_host(database.host_id).await?;
    Ok(way_to(&host.ok_or(ChangeError::Gone)?))
}

/// A database as its host knows it.
fn tenant(database: &Database) -> Tenant<'_> {
    Tenant {
        database: &database.name,
        username: &database.username,
        remote: &database.remote,
        password: database.password.expose(),
        max_connections: database.max_connections,
    }
}
