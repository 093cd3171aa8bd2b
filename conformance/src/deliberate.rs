//! The list of differences that we keep on purpose, each with the row of docs/compatibility.md that
//! gives its reason.

use std::cell::Cell;
use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::compare::Difference;

/// The list, and the page that it points to.
const LIST: &str = include_str!("../deliberate.toml");
const PAGE: &str = include_str!("../../docs/compatibility.md");

/// One difference, in one exchange or many.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The first cell of the row with the reason.
    row: String,
    /// The area, or `*` for each.
    area: String,
    /// Names of exchanges; a `*` at the end stands for anything.
    exchanges: Vec<String>,
    /// Where they differ: a path, or how paths begin.
    at: Vec<String>,
    /// Whether it explained anything in this run.
    #[serde(skip)]
    used: Cell<bool>,
}

/// All of them.
#[derive(Debug, Deserialize)]
pub(crate) struct Deliberate {
    #[serde(default, rename = "difference")]
    entries: Vec<Entry>,
}

impl Deliberate {
    /// The list, checked against the page.
    pub(crate) fn read() -> Result<Deliberate> {
        let list: Deliberate = toml::from_str(LIST).context("conformance/deliberate.toml")?;
        let rows: BTreeSet<&str> = PAGE
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
            .map(str::trim)
            .collect();
        for Entry { row, .. } in &list.entries {
            ensure!(
                rows.contains(row.as_str()),
                "conformance/deliberate.toml: docs/compatibility.md has no row {row:?}"
            );
        }
        Ok(list)
    }

    /// The differences that no entry explains.
    pub(crate) fn unexplained(
        &self,
        area: &str,
        exchange: &str,
        differences: Vec<Difference>,
    ) -> Vec<Difference> {
        differences
            .into_iter()
            .filter(|difference| {
                let mut explained = false;
                for entry in &self.entries {
                    if entry.explains(area, exchange, &difference.at) {
                        entry.used.set(true);
                        explained = true;
                    }
                }
                !explained
            })
            .collect()
    }

    /// What the list has on `area` and nothing in it showed any more. Only for whole areas.
    pub(crate) fn unused(&self, area: &str) -> Vec<String> {
        self.entries
            .iter()
            .filter(|entry| entry.area == area && !entry.used.get())
            .map(|entry| {
                format!(
                    "{:?} explains nothing: {}",
                    entry.row,
                    entry.exchanges.join(", ")
                )
            })
            .collect()
    }
}

impl Entry {
    fn explains(&self, area: &str, exchange: &str, at: &str) -> bool {
        let named = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => exchange.starts_with(start),
            None => exchange == pattern,
        };
        (self.area == "*" || self.area == area)
            && self.exchanges.iter().any(named)
            && self.at.iter().any(|start| at.starts_with(start.as_str()))
    }
}
