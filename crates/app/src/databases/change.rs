//! Changing and deleting databases.

use hatchery_dbhost::HostError;
use hatchery_store::{Database, StoreError, Subject};
use hatchery_vocab::ServerId;

use super::{host_of, leftovers, name, open, tenant};
use crate::Cx;
use crate::access::{Access, needs};
use crate::activity::Event;
use crate::detached::to_the_end;

/// Why a database was not changed. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Somebody deleted it in the meantime.
    #[error("the database is gone")]
    Gone,
    /// The host failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives a database's account a new password.
pub async fn rotate_password(
    cx: &Cx,
    access: &Access<needs::DatabaseUpdate>,
    database: Database,
) -> Result<Database, ChangeError> {
    let database = to_the_end(rotate(cx.clone(), database)).await?;
    Event::new("server:database.rotate-password")
        .with("name", database.name.as_str())
        .about(Subject::Database(database.id))
        .on_server(cx, access);
    Ok(database)
}

async fn rotate(cx: Cx, database: Database) -> Result<Database, ChangeError> {
    let host = host_of(&cx, &database).await?;
    let mut session = open(&cx, &host, &database.name).await?;
    let mut database = current(&cx, &database).await?;
    database.password = name::password(cx.entropy());
    session.set_password(&tenant(&database)).await?;
    let mut tx = cx.store().begin().await?;
    tx.set_database_password(database.id, &database.password)
        .await?;
    tx.commit().await?;
    session.close().await;
    Ok(database)
}

/// Deletes a database from its host, with everything in it.
pub async fn delete(
    cx: &Cx,
    access: &Access<needs::DatabaseDelete>,
    database: Database,
) -> Result<(), ChangeError> {
    let database = to_the_end(remove(cx.clone(), database)).await?;
    Event::new("server:database.delete")
        .with("name", database.name.as_str())
        .about(Subject::Database(database.id))
        .on_server(cx, access);
    Ok(())
}

/// Deletes all databases of a server from their hosts. To be called before the server itself is
/// deleted, which fails while it has any.
///
/// # Errors
/// A host failed; what was deleted until then stays so, and it may be tried again.
pub async fn drop_all_of(cx: &Cx, server: ServerId) -> Result<(), ChangeError> {
    for database in cx.store().databases_of(server).await? {
        match to_the_end(remove(cx.clone(), database)).await {
            Ok(_) | Err(ChangeError::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    for leftover in cx.store().database_leftovers_of(server).await? {
        let host = host_of(cx, &leftover).await?;
        leftovers::clear(cx, &host, &leftover).await?;
    }
    Ok(())
}

async fn remove(cx: Cx, database: Database) -> Result<Database, ChangeError> {
    let host = host_of(&cx, &database).await?;
    let mut session = open(&cx, &host, &database.name).await?;
    let database = current(&cx, &database).await?;
    session.drop(&tenant(&database)).await?;
    leftovers::forget(&cx, &database).await?;
    session.close().await;
    Ok(database)
}

/// The row as it is now that nobody else works on the database.
async fn current(cx: &Cx, database: &Database) -> Result<Database, ChangeError> {
    cx.store()
        .database(database.id)
        .await?
        .ok_or(ChangeError::Gone)
}
