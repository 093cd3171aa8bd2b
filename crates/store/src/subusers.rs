//! Subusers: people to whom a server's owner gave some permissions.

use std::sync::Arc;

use hatchery_vocab::{PermissionSet, ServerId, SubuserId, Timestamp, UserId};

use crate::sql::{Cells, Json, cell, params, read_all, read_opt};
use crate::{Store, StoreError, Tx, User};

/// A user with some permissions for a server.
#[derive(Clone, Debug)]
pub struct Subuser {
    /// The row.
    pub id: SubuserId,
    /// The user.
    pub user_id: UserId,
    /// The server.
    pub server_id: ServerId,
    /// The permissions by name, in the order in which they were given.
    pub permissions: Vec<String>,
    /// When the user was added.
    pub created_at: Timestamp,
}

impl Subuser {
    /// The permissions as a set.
    pub fn permission_set(&self) -> PermissionSet {
        PermissionSet::from_keys(self.permissions.iter().map(String::as_str))
    }
}

const COLUMNS: &str = "id, user_id, server_id, permissions, created_at";

fn read(cells: &mut Cells) -> Result<Subuser, StoreError> {
    Ok(Subuser {
        id: cells.take()?,
        user_id: cells.take()?,
        server_id: cells.take()?,
        permissions: cells.take::<Json<_>>()?.0,
        created_at: cells.take()?,
    })
}

impl Store {
    /// A user's record for a server, if there is one. [`Store::access`] is the cached question.
    pub async fn subuser(
        &self,
        user: UserId,
        server: ServerId,
    ) -> Result<Option<Subuser>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM subusers WHERE server_id = $1 AND user_id = $2");
        read_opt(self.db().opt(&sql, &params![server, user]).await?, read)
    }

    /// A server's subusers with the people they are, oldest first.
    pub async fn subusers_of(
        &self,
        server: ServerId,
    ) -> Result<Vec<(Subuser, Arc<User>)>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM subusers WHERE server_id = $1 ORDER BY id");
        let subusers = read_all(self.db().few(&sql, &params![server]).await?, read)?;
        let mut people = Vec::with_capacity(subusers.len());
        for subuser in subusers {
            if let Some(user) = self.user(subuser.user_id).await? {
                people.push((subuser, user));
            }
        }
        Ok(people)
    }
}

impl Tx {
    /// Makes a user a subuser.
    ///
    /// # Errors
    /// The unique index `subusers_server_user` when the user is one already.
    pub async fn create_subuser(
        &mut self,
        server: ServerId,
        user: UserId,
        permissions: &[String],
    ) -> Result<SubuserId, StoreError> {
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO subusers (user_id, server_id, permissions, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $4) RETURNING id",
                &params![user, server, Json(permissions), now],
            )
            .await?;
        self.changes.access.push((user, server));
        cell(row)
    }

    /// Replaces all permissions of a subuser.
    pub async fn set_subuser_permissions(
        &mut self,
        server: ServerId,
        user: UserId,
        permissions: &[String],
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let rows = self
            .db()
            .exec(
                "UPDATE subusers SET permissions = $3, updated_at = $4 WHERE server_id = $1 AND user_id = $2",
                &params![server, user, Json(permissions), now],
            )
            .await?;
        self.changes.access.push((user, server));
        Ok(rows > 0)
    }

    /// Takes a user's access to a server away.
    pub async fn delete_subuser(
        &mut self,
        server: ServerId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM subusers WHERE server_id = $1 AND user_id = $2";
        let rows = self.db().exec(sql, &params![server, user]).await?;
        self.changes.access.push((user, server));
        Ok(rows > 0)
    }
}
