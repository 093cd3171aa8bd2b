//! Who may use `/servers/{server}/settings`.

use super::Row;

pub(super) const ROWS: &[Row] = &[];
