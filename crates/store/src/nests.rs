//! Nests: groups of eggs.

use hatchery_vocab::NestId;
use uuid::Uuid;

use crate::sql::{Cells, cell, params, read_all, read_opt};
use crate::{Store, StoreError, Tx};

/// A group of eggs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nest {
    /// The row.
    pub id: NestId,
    /// The public id.
    pub uuid: Uuid,
    /// Who made it.
    pub author: String,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
}

fn read(cells: &mut Cells) -> Result<Nest, StoreError> {
    Ok(Nest {
        id: cells.take()?,
        uuid: cells.take()?,
        author: cells.take()?,
        name: cells.take()?,
        description: cells.take()?,
    })
}

impl Store {
    /// All nests.
    pub async fn nests(&self) -> Result<Vec<Nest>, StoreError> {
        let sql = "SELECT id, uuid, author, name, description FROM nests ORDER BY id";
        read_all(self.db().scan(sql, Vec::new()).await?, read)
    }

    /// A nest.
    pub async fn nest(&self, id: NestId) -> Result<Option<Nest>, StoreError> {
        let sql = "SELECT id, uuid, author, name, description FROM nests WHERE id = $1";
        read_opt(self.db().opt(sql, &params![id]).await?, read)
    }
}

impl Tx {
    /// Creates the nest, or renames the one with this UUID.
    pub async fn upsert_nest(
        &mut self,
        uuid: Uuid,
        author: &str,
        name: &str,
        description: Option<&str>,
    ) -> Result<NestId, StoreError> {
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO nests (uuid, author, name, description, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $5)
                 ON CONFLICT (uuid) DO UPDATE SET author = excluded.author, name = excluded.name,
                    description = excluded.description, updated_at = excluded.updated_at
                 RETURNING id",
                &params![uuid, author, name, description, now],
            )
            .await?;
        cell(row)
    }
}
