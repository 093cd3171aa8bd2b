//! Rows that come from another panel and keep the numbers that they had there.
//!
//! Every noun has a record (see `records`) that says what tells a row from another, and one
//! statement of each kind serves them all. Nothing that is there already is ever changed: whoever
//! imports learns what differs and decides. Knows nothing of the panel that the rows come from.

mod records;

use hatchery_db::Value;
use hatchery_vocab::Timestamp;

use crate::activity::Counts;
use crate::sql::{Cells, Json, cell, params};
use crate::{ActivityEntry, StoreError, Tx};

pub use records::*;

/// A row of one table, with its number.
pub trait Record: sealed::Row + Send + Sync {}

mod sealed {
    use hatchery_db::Value;

    /// How a record is stored. The columns follow one another as they are listed here.
    pub trait Row {
        /// The table.
        const TABLE: &'static str;
        /// The primary key.
        const KEY: &'static [&'static str];
        /// What stays for as long as the row lives: with other values it is another row.
        const IDENTITY: &'static [&'static str];
        /// What people change.
        const CARRIED: &'static [&'static str];
        /// What changes by itself, from day to day.
        const LIVING: &'static [&'static str];
        /// The unique indexes beside the primary key, by their columns.
        const UNIQUE: &'static [&'static [&'static str]];

        /// The values of all columns in that order.
        fn values(&self) -> Vec<Value>;
    }
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is a new row.
    Added,
    /// The row is there already, just so.
    Same,
    /// The row is there, with other values in these columns, and stays as it is.
    Differs(Vec<&'static str>),
    /// Its number belongs to something else.
    KeyTaken,
    /// Another row has what must be unique.
    Taken {
        /// The columns that both agree in.
        columns: Vec<&'static str>,
        /// The first part of the other row's key: its id.
        by: i64,
    },
}

impl Tx {
    /// Adds a record unless its row is there.
    pub async fn put<R: Record>(&mut self, record: &R) -> Result<Put, StoreError> {
        self.changes.everything = true;
        let values = record.values();
        if let Some(put) = self.compare::<R>(&values).await? {
            return Ok(put);
        }
        let names = columns::<R>().collect::<Vec<_>>().join(", ");
        let places = places(1, values.len()).join(", ");
        let sql = format!(
            "INSERT INTO {} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING",
            R::TABLE
        );
        if self.db().exec(&sql, &values).await? > 0 {
            return Ok(Put::Added);
        }
        self.find_rival::<R>(&values).await
    }

    /// What the row with this key makes of the record; `None` when there is none.
    async fn compare<R: Record>(&mut self, values: &[Value]) -> Result<Option<Put>, StoreError> {
        let compared = [R::IDENTITY, R::CARRIED].concat();
        let names = if compared.is_empty() {
            "1".to_owned()
        } else {
            compared.join(", ")
        };
        let sql = format!(
            "SELECT {names} FROM {} WHERE {}",
            R::TABLE,
            equalities(R::KEY)
        );
        let (key, rest) = values.split_at(R::KEY.len());
        let Some(row) = self.db().opt(&sql, key).await? else {
            return Ok(None);
        };
        let different: Vec<usize> = row
            .into_values()
            .iter()
            .zip(rest)
            .take(compared.len())
            .enumerate()
            .filter(|(_, (stored, new))| !is_same(stored, new))
            .map(|(place, _)| place)
            .collect();
        Ok(Some(match different.first() {
            None => Put::Same,
            Some(first) if *first < R::IDENTITY.len() => Put::KeyTaken,
            Some(_) => Put::Differs(different.iter().map(|place| compared[*place]).collect()),
        }))
    }

    /// The row that has what must be unique.
    async fn find_rival<R: Record>(&mut self, values: &[Value]) -> Result<Put, StoreError> {
        for unique in R::UNIQUE {
            let own: Vec<Value> = unique
                .iter()
                .filter_map(|name| {
                    let place = columns::<R>().position(|column| column == bare(name))?;
                    Some(values[place].clone())
                })
                .collect();
            let sql = format!(
                "SELECT {} FROM {} WHERE {}",
                R::KEY[0],
                R::TABLE,
                equalities(unique)
            );
            if let Some(row) = self.db().opt(&sql, &own).await? {
                return Ok(Put::Taken {
                    columns: unique.iter().map(|name| bare(name)).collect(),
                    by: cell(row)?,
                });
            }
        }
        Ok(Put::KeyTaken)
    }

    /// Adds activity entries under their numbers, except where there is one with that number, and
    /// tells what became of each.
    pub async fn put_activity(
        &mut self,
        entries: &[(i64, ActivityEntry)],
    ) -> Result<Vec<Put>, StoreError> {
        self.changes.everything = true;
        let mut counts = Counts::new();
        let mut outcome = Vec::with_capacity(entries.len());
        for (id, entry) in entries {
            let event = self.event_id(&entry.event).await?;
            let there = "SELECT event_id, at FROM activity WHERE id = $1";
            if let Some(row) = self.db().opt(there, &params![id]).await? {
                let mut cells = Cells::new(row);
                let is_same =
                    cells.take::<i64>()? == event && cells.take::<Timestamp>()? == entry.at;
                outcome.push(if is_same { Put::Same } else { Put::KeyTaken });
                continue;
            }
            self.db()
                .exec(
                    "INSERT INTO activity (id, event_id, ip, description, actor_id, api_key_id, properties, at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    &params![
                        id,
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
            self.write_subjects(*id, event, entry, &mut counts).await?;
            outcome.push(Put::Added);
        }
        self.count_activity(counts).await?;
        Ok(outcome)
    }

    /// Makes new rows of a record's table count on from `next` at least, if they have numbers.
    pub async fn count_on_from<R: Record>(&mut self, next: i64) -> Result<(), StoreError> {
        if R::KEY == ["id"] {
            self.count_on(R::TABLE, next).await?;
        }
        Ok(())
    }

    /// Makes new activity entries count on from `next` at least.
    pub async fn count_activity_on_from(&mut self, next: i64) -> Result<(), StoreError> {
        self.count_on("activity", next).await
    }

    async fn count_on(&mut self, table: &str, next: i64) -> Result<(), StoreError> {
        let highest = format!("SELECT COALESCE(MAX(id), 0) FROM {table}");
        let highest: i64 = cell(self.db().one(&highest, &[]).await?)?;
        let used = highest.max(next.saturating_sub(1));
        if used < 1 {
            return Ok(());
        }
        if self.store.db().is_shared() {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'),
                    GREATEST($1, (SELECT last_value FROM {table}_id_seq)))"
            );
            self.db().one(&sql, &params![used]).await?;
            return Ok(());
        }
        let raise = "UPDATE sqlite_sequence SET seq = MAX(seq, $2) WHERE name = $1";
        if self.db().exec(raise, &params![table, used]).await? == 0 {
            let begin = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
            self.db().exec(begin, &params![table, used]).await?;
        }
        Ok(())
    }
}

fn columns<R: Record>() -> impl Iterator<Item = &'static str> {
    [R::KEY, R::IDENTITY, R::CARRIED, R::LIVING]
        .into_iter()
        .flatten()
        .copied()
}

fn places(first: usize, count: usize) -> Vec<String> {
    (first..first + count)
        .map(|place| format!("${place}"))
        .collect()
}

/// `a = $1 AND lower(b) = lower($2)` for the columns `a` and `lower(b)`.
fn equalities(columns: &[&str]) -> String {
    columns
        .iter()
        .zip(places(1, columns.len()))
        .map(|(column, place)| format!("{column} = {}", column.replace(bare(column), &place)))
        .collect::<Vec<_>>()
        .join(" AND ")
}

/// The column of an index that may fold its case.
fn bare(column: &str) -> &str {
    column
        .strip_prefix("lower(")
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or(column)
}

/// Whether a stored value is this one: SQLite gives back the plain kinds that it keeps.
fn is_same(stored: &Value, new: &Value) -> bool {
    match (stored, new) {
        (Value::Int(stored), Value::Bool(new)) => *stored == i64::from(*new),
        (Value::Int(stored), Value::Time(new)) => stored == new,
        (Value::Text(stored), Value::Uuid(new)) => *stored == new.as_hyphenated().to_string(),
        (Value::Text(stored), Value::Json(new)) => stored == new,
        _ => stored == new,
    }
}
