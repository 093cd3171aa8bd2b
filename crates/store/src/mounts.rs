//! Mounts: further folders of a node's machine that a server sees.

use hatchery_vocab::ServerId;

use crate::sql::{params, read_all};
use crate::{Store, StoreError};

/// A folder of the machine that a server sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The folder on the machine.
    pub source: String,
    /// Where the server sees it.
    pub target: String,
    /// Whether the server may only read.
    pub read_only: bool,
}

impl Store {
    /// The mounts of a server.
    pub async fn mounts_of(&self, server: ServerId) -> Result<Vec<Mount>, StoreError> {
        let sql = "SELECT m.source, m.target, m.read_only FROM mounts m
            JOIN server_mounts s ON s.mount_id = m.id WHERE s.server_id = $1 ORDER BY m.id";
        read_all(self.db().few(sql, &params![server]).await?, |cells| {
            Ok(Mount {
                source: cells.take()?,
                target: cells.take()?,
                read_only: cells.take()?,
            })
        })
    }
}
