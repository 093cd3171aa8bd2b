//! Who may use `/servers/{server}/schedules`.

use super::Row;

pub(super) const ROWS: &[Row] = &[];
