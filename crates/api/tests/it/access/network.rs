//! Who may use `/servers/{server}/network`.

use super::Row;

pub(super) const ROWS: &[Row] = &[];
