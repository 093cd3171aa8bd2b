//! What an import did, table by table, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::Mode;
use crate::bring::name_of;
use crate::broken::Broken;

/// How many rows of a table are named with a reason; the others are counted.
const MAX_NAMED: usize = 1000;

/// What an import did, or would do.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether it was only a trial, and nothing was written.
    pub dry_run: bool,
    /// Each table in the order in which it was imported, by the name that it has in the panel that
    /// was read.
    pub tables: Vec<TableReport>,
    /// Lines for `hatchery.toml` that stand for what was set on the panel's pages.
    pub settings: Vec<String>,
    /// What else there is to know, a sentence each.
    pub notes: Vec<String>,
}

/// What became of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// Its name.
    pub table: &'static str,
    /// How many rows it has.
    pub read: u64,
    /// How many are new here.
    pub added: u64,
    /// How many were here already.
    pub same: u64,
    /// How many were here already with other values, and stay as they are here.
    pub kept: u64,
    /// How many were left out.
    pub skipped: u64,
    /// The rows that were kept or left out, and why.
    pub named: Vec<Skipped>,
}

/// A row that was not imported as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its number, or `a/b` where two numbers are its key.
    pub id: String,
    /// Why.
    pub reason: String,
}

impl Report {
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            dry_run: mode == Mode::Trial,
            tables: Vec::new(),
            settings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The numbers of a table.
    pub fn table(&self, name: &str) -> Option<&TableReport> {
        self.tables.iter().find(|table| table.table == name)
    }

    pub(crate) fn begin(&mut self, table: &'static str) {
        self.tables.push(TableReport {
            table,
            ..TableReport::default()
        });
    }

    fn of(&mut self, table: &'static str) -> &mut TableReport {
        let known = self.tables.iter().position(|known| known.table == table);
        let place = known.unwrap_or_else(|| {
            self.begin(table);
            self.tables.len() - 1
        });
        &mut self.tables[place]
    }

    pub(crate) fn read(&mut self, table: &'static str) {
        self.of(table).read += 1;
    }

    pub(crate) fn added(&mut self, table: &'static str) {
        let table = self.of(table);
        table.read += 1;
        table.added += 1;
    }

    pub(crate) fn same(&mut self, table: &'static str) {
        let table = self.of(table);
        table.read += 1;
        table.same += 1;
    }

    pub(crate) fn kept(&mut self, table: &'static str, key: &[i64], columns: &[&str]) {
        let table = self.of(table);
        table.read += 1;
        table.kept += 1;
        table.name(
            key,
            format!("kept as it is here; other there: {}", columns.join(", ")),
        );
    }

    pub(crate) fn skip(&mut self, table: &'static str, key: &[i64], reason: Broken) {
        let table = self.of(table);
        table.read += 1;
        table.skipped += 1;
        table.name(key, reason.0);
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl TableReport {
    fn name(&mut self, key: &[i64], reason: String) {
        if self.named.len() < MAX_NAMED {
            self.named.push(Skipped {
                id: name_of(key),
                reason,
            });
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.dry_run { "would add" } else { "added" };
        writeln!(
            f,
            "{:<22} {:>8} {:>9} {:>8} {:>8} {:>8}",
            "", "read", done, "same", "kept", "skipped"
        )?;
        for table in &self.tables {
            writeln!(
                f,
                "{:<22} {:>8} {:>9} {:>8} {:>8} {:>8}",
                table.table, table.read, table.added, table.same, table.kept, table.skipped
            )?;
        }
        for table in &self.tables {
            for row in &table.named {
                writeln!(f, "{} {}: {}", table.table, row.id, row.reason)?;
            }
            let unnamed = (table.kept + table.skipped).saturating_sub(table.named.len() as u64);
            if unnamed > 0 {
                writeln!(f, "{}: and {unnamed} more", table.table)?;
            }
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        if !self.settings.is_empty() {
            writeln!(f, "To keep the panel's settings, begin hatchery.toml with:")?;
        }
        for line in &self.settings {
            writeln!(f, "    {line}")?;
        }
        if self.dry_run {
            write!(f, "This was a trial: nothing was written.")
        } else {
            write!(f, "Imported.")
        }
    }
}
