//! One import on its way: rows come in by the page, records go out, and the report is kept.

use hatchery_store::import::{Put, Record};
use hatchery_store::{Store, Tx};

use crate::app_key::AppKey;
use crate::broken::Broken;
use crate::home::Home;
use crate::known::Known;
use crate::report::Report;
use crate::row::Row;
use crate::source::{Source, SourceError};
use crate::{ImportError, Mode};

/// How many collisions are named; nobody reads more, and the import is refused by the first.
const MAX_COLLISIONS: usize = 20;

/// A table of the other panel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// Its name there.
    pub(crate) name: &'static str,
    /// Its key: `id`, or two numbers.
    pub(crate) key: &'static [&'static str],
}

impl Table {
    /// A table whose rows have numbers.
    pub(crate) const fn numbered(name: &'static str) -> Self {
        Self { name, key: &["id"] }
    }

    /// A table of pairs.
    pub(crate) const fn pairs(name: &'static str, key: &'static [&'static str; 2]) -> Self {
        Self { name, key }
    }

    /// The key of a row.
    pub(crate) fn key_of(&self, row: &Row) -> Result<Vec<i64>, Broken> {
        self.key.iter().map(|name| row.int(name)).collect()
    }
}

/// What the conversion of a row may look at.
#[derive(Debug)]
pub(crate) struct Context {
    /// Opens what is sealed.
    pub(crate) key: AppKey,
    /// Which rows are in the target.
    pub(crate) known: Known,
    /// The node that is this machine.
    pub(crate) home: Option<Home>,
}

/// An import on its way.
#[derive(Debug)]
pub(crate) struct Bring {
    pub(crate) source: Source,
    pub(crate) tx: Tx,
    pub(crate) context: Context,
    pub(crate) report: Report,
    collisions: Vec<String>,
}

impl Bring {
    pub(crate) async fn begin(
        store: &Store,
        source: Source,
        key: AppKey,
        home: Option<Home>,
        mode: Mode,
    ) -> Result<Self, ImportError> {
        Ok(Self {
            source,
            tx: store.begin().await?,
            context: Context {
                key,
                known: Known::default(),
                home,
            },
            report: Report::new(mode),
            collisions: Vec::new(),
        })
    }

    /// Imports a table: each row becomes a record.
    pub(crate) async fn table<R: Record>(
        &mut self,
        table: Table,
        mut convert: impl FnMut(&Row, &Context) -> Result<R, Broken>,
    ) -> Result<(), ImportError> {
        let mut after = None;
        while let Some(rows) = self.next_page(table, &mut after).await? {
            for row in rows {
                self.row(table, &row, &mut convert).await?;
            }
        }
        let next = self.source.next_number(table.name).await?;
        self.tx.count_on_from::<R>(next).await?;
        Ok(())
    }

    /// The rows after those that were read, if there are more.
    pub(crate) async fn next_page(
        &mut self,
        table: Table,
        after: &mut Option<Vec<i64>>,
    ) -> Result<Option<Vec<Row>>, ImportError> {
        if after.is_none() {
            self.report.begin(table.name);
            if !self.source.has_table(table.name).await? {
                self.report
                    .note(format!("the panel has no table {}", table.name));
                return Ok(None);
            }
        }
        let rows = self
            .source
            .page(table.name, table.key, after.as_deref())
            .await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        // A key that is no number cannot be told apart from the table not being the panel's.
        let key = table
            .key_of(last)
            .map_err(|_| SourceError::NotAPanel(table.name, table.key[0]))?;
        *after = Some(key);
        Ok(Some(rows))
    }

    /// Imports one row.
    pub(crate) async fn row<R: Record>(
        &mut self,
        table: Table,
        row: &Row,
        convert: &mut impl FnMut(&Row, &Context) -> Result<R, Broken>,
    ) -> Result<(), ImportError> {
        let converted = table
            .key_of(row)
            .and_then(|key| Ok((key, convert(row, &self.context)?)));
        match converted {
            Ok((key, record)) => {
                let put = self.tx.put(&record).await?;
                self.settle(table, &key, put);
            }
            Err(reason) => {
                let key = table.key_of(row).unwrap_or_default();
                self.report.skip(table.name, &key, reason);
            }
        }
        Ok(())
    }

    /// Notes what became of a row.
    pub(crate) fn settle(&mut self, table: Table, key: &[i64], put: Put) {
        let is_there = match put {
            Put::Added => {
                self.report.added(table.name);
                true
            }
            Put::Same => {
                self.report.same(table.name);
                true
            }
            Put::Differs(columns) => {
                self.report.kept(table.name, key, &columns);
                true
            }
            Put::KeyTaken => {
                self.collide(format!(
                    "{} {}: this number belongs to something else here",
                    table.name,
                    name_of(key)
                ));
                // The import is refused, but what refers to the number is no collision of its own.
                true
            }
            Put::Taken { columns, by } => {
                let columns = columns.join(", ");
                if self.context.known.has(table.name, by) {
                    let reason = format!("it has the same {columns} as {by}");
                    self.report.skip(table.name, key, Broken(reason));
                    false
                } else {
                    self.collide(format!(
                        "{} {}: {by} has the same {columns} here",
                        table.name,
                        name_of(key)
                    ));
                    true
                }
            }
        };
        if let ([id], true) = (key, is_there) {
            self.context.known.add(table.name, *id);
        }
    }

    /// Notes what became of an entry of the log. Nothing refers to one by its number, and a panel
    /// that was used has entries of its own, so one that is in the way is no collision.
    pub(crate) fn settle_entry(&mut self, table: Table, id: i64, put: &Put) {
        match put {
            Put::Added => self.report.added(table.name),
            Put::Same => self.report.same(table.name),
            _ => {
                let reason = Broken::new("an entry of its own has this number here");
                self.report.skip(table.name, &[id], reason);
            }
        }
    }

    fn collide(&mut self, collision: String) {
        if self.collisions.len() < MAX_COLLISIONS {
            self.collisions.push(collision);
        }
    }

    /// Keeps everything or nothing.
    pub(crate) async fn end(self, mode: Mode) -> Result<Report, ImportError> {
        if !self.collisions.is_empty() {
            let mut lines = self.collisions;
            lines.insert(
                0,
                "nothing was imported, since other data is in the way. Import into an empty data folder".to_owned(),
            );
            return Err(ImportError::Collisions(lines));
        }
        match mode {
            Mode::Keep => drop(self.tx.commit().await?),
            Mode::Trial => drop(self.tx),
        }
        Ok(self.report)
    }
}

/// A key in words: `7`, or `7/3` of a pair.
pub(crate) fn name_of(key: &[i64]) -> String {
    let numbers: Vec<String> = key.iter().map(i64::to_string).collect();
    numbers.join("/")
}
