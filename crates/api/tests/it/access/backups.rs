//! Who may use `/servers/{server}/backups`.

use super::Row;

pub(super) const ROWS: &[Row] = &[];
