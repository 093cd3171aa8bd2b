//! People.

use std::sync::Arc;

use hatchery_vocab::{Timestamp, UserId, UserUuid};

use crate::sql::{Cells, cell, params, read_all, read_opt};
use crate::{Page, Paged, Secret, Store, StoreError, Tx};

/// A person who can sign in.
#[derive(Clone, Debug)]
pub struct User {
    /// The row.
    pub id: UserId,
    /// The public id.
    pub uuid: UserUuid,
    /// What another system calls the user.
    pub external_id: Option<String>,
    /// The name to sign in with; unique whatever its case.
    pub username: String,
    /// The e-mail address; unique whatever its case.
    pub email: String,
    /// The first name.
    pub name_first: Option<String>,
    /// The last name.
    pub name_last: Option<String>,
    /// The hash of the password.
    pub password: Secret,
    /// The language, such as `en`.
    pub language: String,
    /// Whether the user may do everything.
    pub root_admin: bool,
    /// Whether signing in takes a one-time code.
    pub use_totp: bool,
    /// The secret behind the one-time codes, which may exist before they are required.
    pub totp_secret: Option<Secret>,
    /// The time step of the last code that was accepted: none up to it is accepted again.
    pub totp_last_step: Option<i64>,
    /// When one-time codes were turned on.
    pub totp_authenticated_at: Option<Timestamp>,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// The capability to see every server, which only administrators have.
    pub const fn as_admin(&self) -> Option<AdminUser> {
        if self.root_admin {
            Some(AdminUser(self.id))
        } else {
            None
        }
    }
}

/// Proof that a user was seen to be an administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminUser(UserId);

impl AdminUser {
    /// Who it is.
    pub const fn id(self) -> UserId {
        self.0
    }
}

/// What it takes to create a user.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The public id.
    pub uuid: UserUuid,
    /// What another system calls the user.
    pub external_id: Option<String>,
    /// The name to sign in with.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The first name.
    pub name_first: Option<String>,
    /// The last name.
    pub name_last: Option<String>,
    /// The hash of the password.
    pub password: Secret,
    /// The language, such as `en`.
    pub language: String,
    /// Whether the user may do everything.
    pub root_admin: bool,
}

const COLUMNS: &str = "id, uuid, external_id, username, email, name_first, name_last, password, language,
    root_admin, use_totp, totp_secret, totp_last_step, totp_authenticated_at, created_at, updated_at";

fn read(cells: &mut Cells) -> Result<User, StoreError> {
    Ok(User {
        id: cells.take()?,
        uuid: cells.take()?,
        external_id: cells.take()?,
        username: cells.take()?,
        email: cells.take()?,
        name_first: cells.take()?,
        name_last: cells.take()?,
        password: cells.take()?,
        language: cells.take()?,
        root_admin: cells.take()?,
        use_totp: cells.take()?,
        totp_secret: cells.take()?,
        totp_last_step: cells.take()?,
        totp_authenticated_at: cells.take()?,
        created_at: cells.take()?,
        updated_at: cells.take()?,
    })
}

impl Store {
    /// A user. Cached.
    pub async fn user(&self, id: UserId) -> Result<Option<Arc<User>>, StoreError> {
        if let Some(user) = self.caches().users.get(&id) {
            return Ok(Some(user));
        }
        let generation = self.caches().generation();
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id = $1");
        let user = read_opt(self.db().opt(&sql, &params![id]).await?, read)?.map(Arc::new);
        if let Some(user) = &user {
            self.caches().keep(generation, |caches| {
                caches.users.insert(id, Arc::clone(user));
            });
        }
        Ok(user)
    }

    /// The user with this public id.
    pub async fn user_by_uuid(&self, uuid: UserUuid) -> Result<Option<User>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE uuid = $1");
        read_opt(self.db().opt(&sql, &params![uuid]).await?, read)
    }

    /// The user with this user name or e-mail address, whatever its case.
    pub async fn user_by_login(&self, login: &str) -> Result<Option<User>, StoreError> {
        if login.contains('\0') {
            // No name holds one, and PostgreSQL would refuse even to look.
            return Ok(None);
        }
        // A name cannot look like another user's address, since it has no `@`.
        let column = if login.contains('@') {
            "email"
        } else {
            "username"
        };
        let sql = format!("SELECT {COLUMNS} FROM users WHERE lower({column}) = lower($1)");
        read_opt(self.db().opt(&sql, &params![login]).await?, read)
    }

    /// The user with this e-mail address, whatever its case.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE lower(email) = lower($1)");
        read_opt(self.db().opt(&sql, &params![email]).await?, read)
    }

    /// How many users there are.
    pub async fn count_users(&self) -> Result<u64, StoreError> {
        let rows = self
            .db()
            .scan("SELECT COUNT(*) FROM users", Vec::new())
            .await?;
        rows.into_iter().next().map_or(Ok(0), cell)
    }

    /// Users in the order of their ids.
    pub async fn users(&self, page: Page) -> Result<Paged<User>, StoreError> {
        let total = self.count_users().await?;
        let sql = format!("SELECT {COLUMNS} FROM users ORDER BY id LIMIT $1 OFFSET $2");
        let rows = self
            .db()
            .scan(&sql, params![page.size, page.offset()].to_vec())
            .await?;
        Ok(Paged {
            total,
            items: read_all(rows, read)?,
        })
    }
}

impl Tx {
    /// Creates a user.
    ///
    /// # Errors
    /// A taken name, address or UUID: [`StoreError::unique`] tells which.
    pub async fn create_user(&mut self, user: &NewUser) -> Result<UserId, StoreError> {
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO users (uuid, external_id, username, email, name_first, name_last, password,
                    language, root_admin, use_totp, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, FALSE, $10, $10) RETURNING id",
                &params![
                    user.uuid,
                    user.external_id,
                    user.username,
                    user.email,
                    user.name_first,
                    user.name_last,
                    user.password,
                    user.language,
                    user.root_admin,
                    now
                ],
            )
            .await?;
        let id = cell(row)?;
        self.changes.users.push(id);
        Ok(id)
    }

    /// Replaces the hash of a user's password. Sessions are another matter.
    pub async fn set_user_password(
        &mut self,
        id: UserId,
        password: &Secret,
    ) -> Result<bool, StoreError> {
        self.update_user(id, "password", params![password]).await
    }

    /// Replaces the hash of a user's password while it is still `old`. `false` when somebody was
    /// quicker.
    pub async fn replace_user_password(
        &mut self,
        id: UserId,
        old: &Secret,
        new: &Secret,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE users SET password = $3, updated_at = $4 WHERE id = $1 AND password = $2";
        let rows = self.db().exec(sql, &params![id, old, new, now]).await?;
        self.changes.users.push(id);
        Ok(rows > 0)
    }

    /// Replaces the hash of a user's password by a better one of the same password, while it is still
    /// `old`. The user does not count as changed.
    pub async fn renew_password_hash(
        &mut self,
        id: UserId,
        old: &Secret,
        new: &Secret,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE users SET password = $3 WHERE id = $1 AND password = $2";
        self.db().exec(sql, &params![id, old, new]).await?;
        self.changes.users.push(id);
        Ok(())
    }

    /// Makes a user an administrator, or an ordinary user.
    pub async fn set_user_admin(
        &mut self,
        id: UserId,
        root_admin: bool,
    ) -> Result<bool, StoreError> {
        self.update_user(id, "root_admin", params![root_admin])
            .await
    }

    /// Changes a user's e-mail address.
    pub async fn set_user_email(&mut self, id: UserId, email: &str) -> Result<bool, StoreError> {
        self.update_user(id, "email", params![email]).await
    }

    /// Keeps a new secret for one-time codes while they are not required. `false` when they are:
    /// then the secret in use stays.
    pub async fn set_totp_secret(
        &mut self,
        id: UserId,
        secret: &Secret,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        // None of the new secret's codes was used.
        let sql = "UPDATE users SET totp_secret = $2, totp_last_step = NULL, updated_at = $3
            WHERE id = $1 AND use_totp = FALSE";
        let rows = self.db().exec(sql, &params![id, secret, now]).await?;
        self.changes.users.push(id);
        Ok(rows > 0)
    }

    /// Requires one-time codes of this secret. `false` when the user has another one by now.
    pub async fn enable_totp(&mut self, id: UserId, secret: &Secret) -> Result<bool, StoreError> {
        let now = self.now();
        let sql = "UPDATE users SET use_totp = TRUE, totp_authenticated_at = $3, updated_at = $3
            WHERE id = $1 AND totp_secret = $2";
        let rows = self.db().exec(sql, &params![id, secret, now]).await?;
        self.changes.users.push(id);
        Ok(rows > 0)
    }

    /// Requires no one-time codes any more. The secret stays (client-api.md §3.2.4).
    pub async fn disable_totp(&mut self, id: UserId) -> Result<bool, StoreError> {
        self.update_user(id, "use_totp", params![false]).await
    }

    /// Notes that the code of a time step was used. `false` when it or a later one was used
    /// already: then the code must be refused.
    pub async fn accept_totp_step(&mut self, id: UserId, step: i64) -> Result<bool, StoreError> {
        let rows = self
            .db()
            .exec(
                "UPDATE users SET totp_last_step = $2
                 WHERE id = $1 AND (totp_last_step IS NULL OR totp_last_step < $2)",
                &params![id, step],
            )
            .await?;
        self.changes.users.push(id);
        Ok(rows > 0)
    }

    /// Deletes a user with their keys and sessions. Fails by reference while they own servers.
    pub async fn delete_user(&mut self, id: UserId) -> Result<bool, StoreError> {
        let rows = self
            .db()
            .exec("DELETE FROM users WHERE id = $1", &params![id])
            .await?;
        self.changes.users.push(id);
        Ok(rows > 0)
    }

    async fn update_user(
        &mut self,
        id: UserId,
        column: &'static str,
        value: [hatchery_db::Value; 1],
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let [value] = value;
        let [id_value, now_value] = params![id, now];
        let sql = format!("UPDATE users SET {column} = $2, updated_at = $3 WHERE id = $1");
        let rows = self.db().exec(&sql, &[id_value, value, now_value]).await?;
        self.changes.users.push(id);
        Ok(rows > 0)
    }
}
