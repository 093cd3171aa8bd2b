//! Who may use `/servers/{server}/startup`.

use super::Row;

pub(super) const ROWS: &[Row] = &[];
