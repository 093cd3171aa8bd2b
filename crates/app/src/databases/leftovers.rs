//! Clearing away what a failed creation left on a host.

use std::collections::HashSet;

use hatchery_dbhost::Host;
use hatchery_store::{Database, StoreError};

use super::{ChangeError, open, tenant, way_to};
use crate::Cx;

/// How many leftovers one round looks at; the rest is for the next.
const PER_ROUND: u64 = 500;

/// Clears away what was left on hosts, as far as they answer. To be repeated now and then.
pub async fn clear_leftovers(cx: &Cx) -> Result<(), StoreError> {
    let mut away = HashSet::new();
    for leftover in cx.store().database_leftovers(PER_ROUND).await? {
        if away.contains(&leftover.host_id) {
            continue;
        }
        let Some(host) = cx.store().database_host(leftover.host_id).await? else {
            continue;
        };
        // An abandoned one must not be shown any more by whoever was creating it.
        mark(cx, &leftover).await?;
        match clear(cx, &way_to(&host), &leftover).await {
            Ok(()) => {
                tracing::info!(
                    host = host.name,
                    database = leftover.name,
                    "a leftover is gone"
                );
            }
            Err(error) => {
                tracing::warn!(host = host.name, %error, "leftovers on a database host stay for now");
                away.insert(leftover.host_id);
            }
        }
    }
    Ok(())
}

/// Clears away one leftover and its row.
pub(super) async fn clear(cx: &Cx, host: &Host, leftover: &Database) -> Result<(), ChangeError> {
    let mut session = open(cx, host, &leftover.name).await?;
    session.discard(&tenant(leftover)).await?;
    forget(cx, leftover).await?;
    session.close().await;
    Ok(())
}

/// Makes a leftover of what a creation failed to finish, and clears it away at once if the host
/// lets us. Otherwise [`clear_leftovers`] will.
pub(super) async fn give_up(cx: &Cx, host: &Host, database: &Database) {
    let given_up = async {
        mark(cx, database).await?;
        clear(cx, host, database).await
    };
    if let Err(error) = given_up.await {
        tracing::warn!(
            database = database.name,
            %error,
            "a database that could not be created is cleared away later"
        );
    }
}

/// Removes a row with nothing behind it.
pub(super) async fn forget(cx: &Cx, database: &Database) -> Result<(), StoreError> {
    let mut tx = cx.store().begin().await?;
    tx.delete_database(database.id).await?;
    tx.commit().await?;
    Ok(())
}

async fn mark(cx: &Cx, database: &Database) -> Result<(), StoreError> {
    let mut tx = cx.store().begin().await?;
    tx.set_database_leftover(database.id).await?;
    tx.commit().await?;
    Ok(())
}
