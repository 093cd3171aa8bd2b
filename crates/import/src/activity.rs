//! The log of what people did.

use hatchery_store::{ActivityEntry, Subject};
use hatchery_vocab::{ApiKeyId, Timestamp, UserId};
use serde_json::{Map, Value};

use crate::ImportError;
use crate::bring::{Bring, Context, Table};
use crate::broken::Broken;
use crate::row::Row;

const LOG: Table = Table::numbered("activity_logs");
/// The kind of actor that is a person, as it is written today and as it once was.
const USER: [&str; 2] = ["user", "Pterodactyl\\Models\\User"];

pub(crate) async fn all(bring: &mut Bring) -> Result<(), ImportError> {
    let mut after = None;
    while let Some(rows) = bring.next_page(LOG, &mut after).await? {
        page(bring, &rows).await?;
    }
    let next = bring.source.next_number(LOG.name).await?;
    bring.tx.count_activity_on_from(next).await?;
    Ok(())
}

async fn page(bring: &mut Bring, rows: &[Row]) -> Result<(), ImportError> {
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        match entry(row, &bring.context) {
            Ok(entry) => entries.push(entry),
            Err(reason) => {
                let key = LOG.key_of(row).unwrap_or_default();
                bring.report.skip(LOG.name, &key, reason);
            }
        }
    }
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok(());
    };
    for (entry, kind, subject) in bring.source.subjects(first.0, last.0).await? {
        // Entries come in the order of their numbers.
        let place = entries.binary_search_by_key(&entry, |(id, _)| *id);
        if let (Ok(place), Some(subject)) = (place, Subject::named(&kind, subject)) {
            entries[place].1.subjects.push(subject);
        }
    }
    let outcome = bring.tx.put_activity(&entries).await?;
    for ((id, _), put) in entries.iter().zip(outcome) {
        bring.settle_entry(LOG, *id, &put);
    }
    Ok(())
}

fn entry(row: &Row, context: &Context) -> Result<(i64, ActivityEntry), Broken> {
    let actor = match (row.opt_text("actor_type")?, row.opt_int("actor_id")?) {
        (Some(kind), Some(id)) if USER.contains(&kind.as_str()) => {
            context.known.has("users", id).then(|| UserId::new(id))
        }
        _ => None,
    };
    let entry = ActivityEntry {
        event: row.text("event")?,
        ip: row.opt_text("ip")?.filter(|ip| !ip.is_empty()),
        description: row.opt_text("description")?,
        actor,
        api_key: row.opt_int("api_key_id")?.map(ApiKeyId::new),
        properties: properties(row)?,
        subjects: Vec::new(),
        at: row
            .opt_time("timestamp")?
            .unwrap_or(Timestamp::from_micros(0)),
    };
    Ok((row.int("id")?, entry))
}

/// The details. PHP writes an empty object as an empty list, and one whose names count from zero
/// as a list.
fn properties(row: &Row) -> Result<Map<String, Value>, Broken> {
    match row.opt_json("properties")? {
        None => Ok(Map::new()),
        Some(Value::Object(details)) => Ok(details),
        Some(Value::Array(items)) => Ok(items
            .into_iter()
            .enumerate()
            .map(|(place, item)| (place.to_string(), item))
            .collect()),
        Some(_) => Err(Broken::column("properties", "an object")),
    }
}
