//! Which rows are in the target, so that nothing refers to a row that was left out.

use std::collections::{HashMap, HashSet};

use crate::broken::Broken;

/// Numbers of rows by table.
#[derive(Debug, Default)]
pub(crate) struct Known(HashMap<&'static str, HashSet<i64>>);

impl Known {
    pub(crate) fn add(&mut self, table: &'static str, id: i64) {
        self.0.entry(table).or_default().insert(id);
    }

    pub(crate) fn has(&self, table: &str, id: i64) -> bool {
        self.0.get(table).is_some_and(|ids| ids.contains(&id))
    }

    /// The number, if there is such a row.
    pub(crate) fn need(&self, table: &str, id: i64) -> Result<i64, Broken> {
        if self.has(table, id) {
            Ok(id)
        } else {
            Err(Broken(format!(
                "it belongs to {table} {id}, which was not imported"
            )))
        }
    }
}
