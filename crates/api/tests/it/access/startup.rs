//! Who may use `/servers/{server}/startup`.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row::needs("listStartup", "startup.read"),
    Row::needs("updateVariable", "startup.update").json(r#"{"key": "LEVEL", "value": "nether"}"#),
];
