//! Sessions of browsers. Only a digest of the cookie's value is kept.

use std::time::Duration;

use hatchery_vocab::{SessionId, Timestamp, UserId};

use crate::sql::{Cells, cell, params, read_opt};
use crate::{Secret, Store, StoreError, Tx};

/// How many sessions a user may have; the oldest makes room.
const MAX_SESSIONS: u64 = 50;

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// The row.
    pub id: SessionId,
    /// Who is signed in.
    pub user_id: UserId,
    /// What the browser must send along to change anything.
    pub csrf_token: Secret,
    /// The address from which the user signed in.
    pub ip: String,
    /// What the browser called itself.
    pub user_agent: String,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// What it takes to create a session.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Who signs in.
    pub user_id: UserId,
    /// SHA-256 of the cookie's value.
    pub token_sha256: [u8; 32],
    /// What the browser must send along to change anything.
    pub csrf_token: Secret,
    /// The address from which the user signs in.
    pub ip: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// How long the session lasts.
    pub lifetime: Duration,
}

fn read(cells: &mut Cells) -> Result<Session, StoreError> {
    Ok(Session {
        id: cells.take()?,
        user_id: cells.take()?,
        csrf_token: cells.take()?,
        ip: cells.take()?,
        user_agent: cells.take()?,
        created_at: cells.take()?,
        expires_at: cells.take()?,
    })
}

impl Store {
    /// The session of a cookie, unless it has ended.
    pub async fn session(&self, token_sha256: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        let row = self
            .db()
            .opt(
                "SELECT id, user_id, csrf_token, ip, user_agent, created_at, expires_at FROM sessions
                 WHERE token_hash = $1 AND expires_at > $2",
                &params![token_sha256, self.now()],
            )
            .await?;
        read_opt(row, read)
    }
}

impl Tx {
    /// Creates a session, and clears away the user's ended and surplus ones.
    pub async fn create_session(&mut self, session: &NewSession) -> Result<SessionId, StoreError> {
        let now = self.now();
        self.db()
            .exec(
                "DELETE FROM sessions WHERE user_id = $1 AND expires_at <= $2",
                &params![session.user_id, now],
            )
            .await?;
        self.db()
            .exec(
                "DELETE FROM sessions WHERE id IN
                    (SELECT id FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3)",
                &params![session.user_id, MAX_SESSIONS, MAX_SESSIONS - 1],
            )
            .await?;
        let row = self
            .db()
            .one(
                "INSERT INTO sessions (token_hash, user_id, csrf_token, ip, user_agent, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
                &params![
                    session.token_sha256,
                    session.user_id,
                    session.csrf_token,
                    session.ip,
                    session.user_agent,
                    now,
                    now.plus(session.lifetime)
                ],
            )
            .await?;
        cell(row)
    }

    /// Lets a session last so long from now on, unless it has ended.
    pub async fn extend_session(
        &mut self,
        id: SessionId,
        lifetime: Duration,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let sql = "UPDATE sessions SET expires_at = $2 WHERE id = $1 AND expires_at > $3";
        self.db()
            .exec(sql, &params![id, now.plus(lifetime), now])
            .await?;
        Ok(())
    }

    /// Ends a session.
    pub async fn delete_session(&mut self, token_sha256: &[u8; 32]) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sessions WHERE token_hash = $1";
        Ok(self.db().exec(sql, &params![token_sha256]).await? > 0)
    }

    /// Ends all sessions of a user but one, and tells how many there were.
    pub async fn delete_sessions_of(
        &mut self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<u64, StoreError> {
        let but = but.map_or(0, SessionId::get);
        let sql = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
        Ok(self.db().exec(sql, &params![user, but]).await?)
    }

    /// Clears away sessions that have ended, of everybody.
    pub async fn delete_ended_sessions(&mut self) -> Result<u64, StoreError> {
        let now = self.now();
        Ok(self
            .db()
            .exec("DELETE FROM sessions WHERE expires_at <= $1", &params![now])
            .await?)
    }
}
