//! Who may use `/servers/{server}/databases`.

use super::Row;

pub(super) const ROWS: &[Row] = &[];
