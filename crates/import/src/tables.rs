//! The order of the tables: each after those that it refers to.

mod backups;
mod databases;
mod eggs;
mod mounts;
mod people;
mod places;
mod schedules;
mod servers;

use hatchery_vocab::Timestamp;

use crate::ImportError;
use crate::app_key::{AppKey, OpenError};
use crate::bring::Bring;
use crate::broken::Broken;
use crate::row::Row;
use crate::source::Source;

/// Imports every table but the log.
pub(crate) async fn all(bring: &mut Bring) -> Result<(), ImportError> {
    people::all(bring).await?;
    places::nodes(bring).await?;
    eggs::all(bring).await?;
    let primaries = servers::all(bring).await?;
    places::allocations(bring, &primaries).await?;
    servers::on_top(bring).await?;
    schedules::all(bring).await?;
    databases::all(bring).await?;
    backups::all(bring).await?;
    mounts::all(bring).await
}

/// Columns with sealed values, one of which a right key must open.
const SEALED: &[(&str, &str)] = &[
    ("nodes", "daemon_token"),
    ("api_keys", "token"),
    ("users", "totp_secret"),
    ("database_hosts", "password"),
];

/// Makes sure that the key is the panel's, before a report about every row.
pub(crate) async fn probe_key(source: &mut Source, key: &AppKey) -> Result<(), ImportError> {
    let mut sealed_by_others = 0;
    for (table, column) in SEALED {
        for value in source.sample(table, column).await? {
            match key.open(&value) {
                Ok(_) => return Ok(()),
                Err(OpenError::Key) => sealed_by_others += 1,
                Err(OpenError::Shape) => {}
            }
        }
    }
    if sealed_by_others > 0 {
        return Err(ImportError::WrongKey(sealed_by_others));
    }
    Ok(())
}

/// When a row was made and last changed. Some old rows do not know; then it is the beginning of
/// time.
fn times(row: &Row) -> Result<(Timestamp, Timestamp), Broken> {
    let created = row.opt_time("created_at")?;
    let updated = row.opt_time("updated_at")?;
    let known = created.or(updated).unwrap_or(Timestamp::from_micros(0));
    Ok((created.unwrap_or(known), updated.unwrap_or(known)))
}
