//! Panels that are imported from a real MariaDB server into both of our databases.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod recorded;
mod refused;
mod small;

use hatchery_import::testing::SourcePanel;
use hatchery_import::{AppKey, ImportError, Mode, Options, Report, pterodactyl};
use hatchery_store::Store;

/// Imports a panel.
async fn import(
    store: &Store,
    panel: &SourcePanel,
    app_key: &str,
    mode: Mode,
) -> Result<Report, ImportError> {
    let options = Options {
        database: panel.url.clone(),
        app_key: AppKey::parse(app_key).unwrap(),
        hashids_salt: Some("salt of the panel".to_owned()),
        hashids_length: None,
        volumes: None,
        mode,
    };
    pterodactyl(store, options).await
}

/// `(added, same, kept, skipped)` of each table that has rows.
fn figures(report: &Report) -> Vec<(&'static str, [u64; 4])> {
    report
        .tables
        .iter()
        .filter(|table| table.read > 0)
        .map(|table| {
            let figures = [table.added, table.same, table.kept, table.skipped];
            (table.table, figures)
        })
        .collect()
}

/// What was named: `table id: reason`.
fn named(report: &Report) -> Vec<String> {
    let rows = |table: &hatchery_import::TableReport| {
        let name = table.table;
        table
            .named
            .iter()
            .map(move |row| format!("{name} {}: {}", row.id, row.reason))
            .collect::<Vec<_>>()
    };
    report.tables.iter().flat_map(rows).collect()
}
