//! Where nodes stand.

use hatchery_vocab::LocationId;

use crate::sql::{Cells, cell, params, read_all, read_opt};
use crate::{Store, StoreError, Tx};

/// A place with nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The row.
    pub id: LocationId,
    /// The short name, such as `eu.ams`; unique.
    pub short: String,
    /// The long name.
    pub long: Option<String>,
}

fn read(cells: &mut Cells) -> Result<Location, StoreError> {
    Ok(Location {
        id: cells.take()?,
        short: cells.take()?,
        long: cells.take()?,
    })
}

impl Store {
    /// A location.
    pub async fn location(&self, id: LocationId) -> Result<Option<Location>, StoreError> {
        let sql = "SELECT id, short, long FROM locations WHERE id = $1";
        read_opt(self.db().opt(sql, &params![id]).await?, read)
    }

    /// The location with this short name.
    pub async fn location_by_short(&self, short: &str) -> Result<Option<Location>, StoreError> {
        let sql = "SELECT id, short, long FROM locations WHERE short = $1";
        read_opt(self.db().opt(sql, &params![short]).await?, read)
    }

    /// All locations.
    pub async fn locations(&self) -> Result<Vec<Location>, StoreError> {
        let sql = "SELECT id, short, long FROM locations ORDER BY id";
        read_all(self.db().scan(sql, Vec::new()).await?, read)
    }
}

impl Tx {
    /// Creates a location.
    pub async fn create_location(
        &mut self,
        short: &str,
        long: Option<&str>,
    ) -> Result<LocationId, StoreError> {
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO locations (short, long, created_at, updated_at) VALUES ($1, $2, $3, $3)
                 RETURNING id",
                &params![short, long, now],
            )
            .await?;
        cell(row)
    }
}
