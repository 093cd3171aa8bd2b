//! Who may use `/servers/{server}/users`.

use super::Row;

pub(super) const ROWS: &[Row] = &[];
