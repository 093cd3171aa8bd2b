//! The activity log (client-api.md §12). Entries are written behind; see `buffer`.
//!
//! A log may have a hundred thousand entries, and its first page must not take longer for that. So
//! the number of entries of each event is kept beside them, and a page is found by an index alone:
//! a filter picks events by name, and each event's entries are sorted already.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use hatchery_vocab::{
    AllocationId, ApiKeyId, BackupId, DatabaseId, EggId, EggVariableId, ScheduleId, ServerId,
    SshKeyId, TaskId, Timestamp, UserId,
};
use serde_json::{Map, Value};

use crate::sql::{Cells, Json, Param, cell, params, read_all};
use crate::{Page, Paged, Store, StoreError, Tx, User};

/// An event that no list shows: `server:file.uploaded` took its place (client-api.md §12.4).
const HIDDEN_EVENT: &str = "server:file.upload";
/// From which entry on a page is not found at once, since those before it have to be passed.
const DEEP: u64 = 200;
/// Entries that are cleared away in one transaction.
const PRUNE_BATCH: u64 = 500;

/// How many bytes the details of an entry may have, about. Some repeat what people sent, such as a
/// command, and nobody may fill the log with it.
const MAX_DETAILS: usize = 32 * 1024;
/// What a detail takes beside its text.
const OVERHEAD: usize = 4;

/// How many entries to add to the list of a subject (kind and id) and event. Sorted, so that two
/// instances on PostgreSQL cannot wait for each other.
pub(crate) type Counts = BTreeMap<(&'static str, i64, i64), u64>;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the nouns of the field")]
pub enum Subject {
    Allocation(AllocationId),
    ApiKey(ApiKeyId),
    Backup(BackupId),
    Database(DatabaseId),
    Egg(EggId),
    EggVariable(EggVariableId),
    Schedule(ScheduleId),
    Server(ServerId),
    SshKey(SshKeyId),
    Task(TaskId),
    User(UserId),
}

impl Subject {
    /// The subject of a kind that is written so, such as `server`.
    pub fn named(kind: &str, id: i64) -> Option<Self> {
        Some(match kind {
            "allocation" => Self::Allocation(AllocationId::new(id)),
            "api_key" => Self::ApiKey(ApiKeyId::new(id)),
            "backup" => Self::Backup(BackupId::new(id)),
            "database" => Self::Database(DatabaseId::new(id)),
            "egg" => Self::Egg(EggId::new(id)),
            "egg_variable" => Self::EggVariable(EggVariableId::new(id)),
            "schedule" => Self::Schedule(ScheduleId::new(id)),
            "server" => Self::Server(ServerId::new(id)),
            "ssh_key" => Self::SshKey(SshKeyId::new(id)),
            "task" => Self::Task(TaskId::new(id)),
            "user" => Self::User(UserId::new(id)),
            _ => return None,
        })
    }

    const fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Allocation(id) => ("allocation", id.get()),
            Self::ApiKey(id) => ("api_key", id.get()),
            Self::Backup(id) => ("backup", id.get()),
            Self::Database(id) => ("database", id.get()),
            Self::Egg(id) => ("egg", id.get()),
            Self::EggVariable(id) => ("egg_variable", id.get()),
            Self::Schedule(id) => ("schedule", id.get()),
            Self::Server(id) => ("server", id.get()),
            Self::SshKey(id) => ("ssh_key", id.get()),
            Self::Task(id) => ("task", id.get()),
            Self::User(id) => ("user", id.get()),
        }
    }

    /// Whether there is a list of the entries about it.
    const fn is_listed(self) -> bool {
        matches!(self, Self::Server(_) | Self::User(_))
    }
}

/// An entry to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityEntry {
    /// What happened, such as `server:power.start`. A name of the program's own, never text from
    /// outside.
    pub event: String,
    /// From where.
    pub ip: Option<String>,
    /// Words about it.
    pub description: Option<String>,
    /// Who did it; `None` is the system.
    pub actor: Option<UserId>,
    /// With which API key.
    pub api_key: Option<ApiKeyId>,
    /// Details, in order.
    pub properties: Map<String, Value>,
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// When it happened.
    pub at: Timestamp,
}

/// An entry that was recorded.
#[derive(Clone, Debug)]
pub struct ActivityRecord {
    /// The row.
    pub id: i64,
    /// What happened.
    pub event: String,
    /// From where.
    pub ip: Option<String>,
    /// Words about it.
    pub description: Option<String>,
    /// Who did it, if they still exist.
    pub actor: Option<Arc<User>>,
    /// With which API key; it may be gone.
    pub api_key: Option<ApiKeyId>,
    /// Details, in order.
    pub properties: Map<String, Value>,
    /// When it happened.
    pub at: Timestamp,
}

/// In which order to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActivityOrder {
    /// As they were written.
    #[default]
    Recorded,
    /// The oldest first.
    OldestFirst,
    /// The newest first.
    NewestFirst,
}

/// A list to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Parts of the event's name, in any case, as alternatives. None keeps all.
    pub event: Vec<String>,
    /// In which order.
    pub order: ActivityOrder,
    /// Which piece.
    pub page: Page,
    /// Whether to leave out what administrators did to a server that is not theirs
    /// (client-api.md §3.3.4).
    pub hide_admins: bool,
}

/// Holds for the entries of a server that `hide_admins` leaves out: its actor administrates the
/// panel, and neither owns the server nor is a subuser of it.
const BY_AN_ADMIN: &str = "EXISTS (SELECT 1 FROM activity h
    JOIN users u ON u.id = h.actor_id JOIN servers s ON s.id = $2
    WHERE h.id = activity_subjects.activity_id AND u.root_admin AND u.id <> s.owner_id
    AND NOT EXISTS (SELECT 1 FROM subusers m WHERE m.server_id = s.id AND m.user_id = u.id))";

fn read(cells: &mut Cells) -> Result<(ActivityRecord, Option<UserId>), StoreError> {
    let record = ActivityRecord {
        id: cells.take()?,
        event: cells.take()?,
        ip: cells.take()?,
        description: cells.take()?,
        api_key: cells.take()?,
        properties: cells.take::<Json<_>>()?.0,
        at: cells.take()?,
        actor: None,
    };
    Ok((record, cells.take()?))
}

impl Store {
    /// Records an entry. It is written within [`crate::FLUSH_EVERY`]. Details that are very long
    /// are cut off.
    pub fn record_activity(&self, mut entry: ActivityEntry) {
        shorten_fields(&mut entry.properties, &mut { MAX_DETAILS });
        self.buffer().push(entry);
    }

    /// A page of the entries about a server or a user, those recorded just now included.
    pub async fn activity(
        &self,
        subject: Subject,
        query: &ActivityQuery,
    ) -> Result<Paged<ActivityRecord>, StoreError> {
        if self.buffer().has_activity() {
            self.flush().await?;
        }
        let (kind, id) = subject.parts();
        let sql = "SELECT e.id, e.name, c.entries FROM activity_counts c
            JOIN activity_events e ON e.id = c.event_id
            WHERE c.subject_type = $1 AND c.subject_id = $2 AND c.entries > 0";
        let counts: Vec<(i64, String, u64)> =
            read_all(self.db().few(sql, &params![kind, id]).await?, |cells| {
                Ok((cells.take()?, cells.take()?, cells.take()?))
            })?;
        let parts: Vec<String> = query.event.iter().map(|part| part.to_lowercase()).collect();
        let wanted = |name: &str| {
            let name = name.to_lowercase();
            name != HIDDEN_EVENT
                && (parts.is_empty() || parts.iter().any(|part| name.contains(part)))
        };
        let events: Vec<i64> = counts
            .iter()
            .filter(|(_, name, _)| wanted(name))
            .map(|(event, ..)| *event)
            .collect();
        let mut total = counts
            .iter()
            .filter(|(_, name, _)| wanted(name))
            .map(|(.., entries)| entries)
            .sum();
        if query.hide_admins {
            total -= self.hidden_entries(kind, id, &events).await?.min(total);
        }
        if query.page.offset() >= total {
            return Ok(Paged {
                total,
                items: Vec::new(),
            });
        }
        let all = events.len() == counts.len();
        let (sql, values) = page_query(kind, id, (!all).then_some(&events), query);
        // A page near the start is found at once; one from the depth of a long log takes its time.
        let rows = if query.page.offset() < DEEP {
            self.db().few(&sql, &values).await?
        } else {
            self.db().scan(&sql, values).await?
        };
        let rows = read_all(rows, read)?;
        let mut items = Vec::with_capacity(rows.len());
        for (mut record, actor) in rows {
            if let Some(actor) = actor {
                record.actor = self.user(actor).await?;
            }
            items.push(record);
        }
        Ok(Paged { total, items })
    }

    /// How many entries of these events `hide_admins` leaves out. They are counted each time, which
    /// only those pay for who choose it.
    async fn hidden_entries(
        &self,
        kind: &'static str,
        id: i64,
        events: &[i64],
    ) -> Result<u64, StoreError> {
        let mut values = params![kind, id].to_vec();
        let mut places = String::from("NULL");
        for event in events {
            values.push(event.value());
            // Writing to a String cannot fail.
            let _ = write!(places, ", ${}", values.len());
        }
        let sql = format!(
            "SELECT count(*) FROM activity_subjects
             WHERE subject_type = $1 AND subject_id = $2 AND event_id IN ({places})
             AND {BY_AN_ADMIN}"
        );
        let rows = read_all(self.db().scan(&sql, values).await?, Cells::take)?;
        Ok(rows.first().copied().unwrap_or_default())
    }

    /// Clears away entries from before a time, a few at a time, and tells how many there were.
    pub async fn prune_activity(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let mut tx = self.begin().await?;
            let batch = tx.prune_activity(before).await?;
            tx.commit().await?;
            gone += batch;
            if batch < PRUNE_BATCH {
                return Ok(gone);
            }
        }
    }
}

/// Cuts off what exceeds the bytes that are left.
fn shorten(value: &mut Value, left: &mut usize) {
    *left = left.saturating_sub(OVERHEAD);
    match value {
        Value::String(text) => {
            if text.len() > *left {
                text.truncate(text.floor_char_boundary(*left));
                text.shrink_to_fit();
            }
            *left -= text.len();
        }
        Value::Array(items) => {
            items.retain_mut(|item| {
                let fits = *left > 0;
                shorten(item, left);
                fits
            });
            items.shrink_to_fit();
        }
        Value::Object(fields) => shorten_fields(fields, left),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn shorten_fields(fields: &mut Map<String, Value>, left: &mut usize) {
    fields.retain(|name, value| {
        let fits = *left > name.len();
        *left = left.saturating_sub(name.len());
        shorten(value, left);
        fits
    });
}

/// The query for a page. Filtered, it takes the start of each event's sorted entries, which is
/// where the page must come from, and merges them.
fn page_query(
    kind: &str,
    id: i64,
    events: Option<&Vec<i64>>,
    query: &ActivityQuery,
) -> (String, Vec<hatchery_db::Value>) {
    let order = match query.order {
        ActivityOrder::Recorded => "activity_id",
        ActivityOrder::OldestFirst => "at, activity_id",
        ActivityOrder::NewestFirst => "at DESC, activity_id DESC",
    };
    let (size, offset) = (query.page.size, query.page.offset());
    let shown = if query.hide_admins {
        format!("AND NOT {BY_AN_ADMIN}")
    } else {
        String::new()
    };
    let mut values = params![kind, id, size, offset].to_vec();
    let entries = match events {
        None => format!(
            "SELECT activity_id, at FROM activity_subjects
             WHERE subject_type = $1 AND subject_id = $2 {shown}"
        ),
        Some(events) => {
            values.push(size.saturating_add(offset).value());
            let mut sql = String::new();
            for event in events {
                values.push(event.value());
                let (union, place) = (
                    if sql.is_empty() { "" } else { " UNION ALL " },
                    values.len(),
                );
                // Writing to a String cannot fail.
                let _ = write!(
                    sql,
                    "{union}SELECT * FROM (SELECT activity_id, at FROM activity_subjects
                      WHERE subject_type = $1 AND subject_id = $2 AND event_id = ${place} {shown}
                      ORDER BY {order} LIMIT $5) AS e{place}"
                );
            }
            sql
        }
    };
    let sql = format!(
        "SELECT a.id, e.name, a.ip, a.description, a.api_key_id, a.properties, a.at, a.actor_id
         FROM (SELECT * FROM ({entries}) AS entries ORDER BY {order} LIMIT $3 OFFSET $4) AS page
         JOIN activity a ON a.id = page.activity_id
         JOIN activity_events e ON e.id = a.event_id
         ORDER BY {}",
        order
            .replace("at", "page.at")
            .replace("activity_id", "page.activity_id"),
    );
    (sql, values)
}

impl Tx {
    pub(crate) async fn write_activity(
        &mut self,
        entries: &[ActivityEntry],
    ) -> Result<(), StoreError> {
        let mut events: HashMap<&str, i64> = HashMap::new();
        let mut counts = Counts::new();
        for entry in entries {
            let event = match events.get(entry.event.as_str()) {
                Some(event) => *event,
                None => self.event_id(&entry.event).await?,
            };
            events.insert(&entry.event, event);
            // The actor may have been deleted since; the entry must not fail for that.
            let row = self
                .db()
                .one(
                    "INSERT INTO activity (event_id, ip, description, actor_id, api_key_id, properties, at)
                     VALUES ($1, $2, $3, (SELECT id FROM users WHERE id = $4), $5, $6, $7) RETURNING id",
                    &params![
                        event,
                        entry.ip,
                        entry.description,
                        entry.actor,
                        entry.api_key,
                        Json(&entry.properties),
                        entry.at
                    ],
                )
                .await?;
            self.write_subjects(cell(row)?, event, entry, &mut counts)
                .await?;
        }
        self.count_activity(counts).await
    }

    /// Writes what an entry is about, and notes which lists are longer for it.
    pub(crate) async fn write_subjects(
        &mut self,
        activity: i64,
        event: i64,
        entry: &ActivityEntry,
        counts: &mut Counts,
    ) -> Result<(), StoreError> {
        for subject in &entry.subjects {
            let (kind, id) = subject.parts();
            let rows = self
                .db()
                .exec(
                    "INSERT INTO activity_subjects (subject_type, subject_id, activity_id, event_id, at)
                     VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (subject_type, subject_id, activity_id) DO NOTHING",
                    &params![kind, id, activity, event, entry.at],
                )
                .await?;
            if subject.is_listed() {
                *counts.entry((kind, id, event)).or_default() += rows;
            }
        }
        Ok(())
    }

    /// Makes lists longer by so many entries.
    pub(crate) async fn count_activity(&mut self, counts: Counts) -> Result<(), StoreError> {
        for ((kind, id, event), more) in counts {
            self.db()
                .exec(
                    "INSERT INTO activity_counts (subject_type, subject_id, event_id, entries)
                     VALUES ($1, $2, $3, $4)
                     ON CONFLICT (subject_type, subject_id, event_id)
                     DO UPDATE SET entries = activity_counts.entries + excluded.entries",
                    &params![kind, id, event, more],
                )
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn event_id(&mut self, name: &str) -> Result<i64, StoreError> {
        let known = "SELECT id FROM activity_events WHERE name = $1";
        if let Some(row) = self.db().opt(known, &params![name]).await? {
            return cell(row);
        }
        let insert = "INSERT INTO activity_events (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
        self.db().exec(insert, &params![name]).await?;
        cell(self.db().one(known, &params![name]).await?)
    }

    async fn prune_activity(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = "SELECT id FROM activity WHERE at < $1 ORDER BY at LIMIT $2";
        let rows = self.db().few(sql, &params![before, PRUNE_BATCH]).await?;
        let ids: Vec<i64> = crate::sql::column(rows)?;
        for id in &ids {
            self.db()
                .exec(
                    "UPDATE activity_counts SET entries = entries - 1
                     WHERE (subject_type, subject_id, event_id) IN
                        (SELECT subject_type, subject_id, event_id FROM activity_subjects WHERE activity_id = $1)",
                    &params![id],
                )
                .await?;
            self.db()
                .exec("DELETE FROM activity WHERE id = $1", &params![id])
                .await?;
        }
        Ok(ids.len() as u64)
    }
}
