//! Which signed tokens are good: purpose, time, revocation, single use (node-protocol.md §3.8 and
//! §4.4).

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::Method;
use hatchery_ambient::Clock;
use hatchery_node_proto::NodeToken;
use hatchery_node_proto::jwt::{self, Claims, JwtError, Purpose};
use hatchery_vocab::{ServerUuid, Timestamp, UserUuid};
use parking_lot::Mutex;
use tokio::sync::watch;

/// How many denials and how many used links are remembered at most. Both end by themselves, since
/// no token lives longer than [`LONGEST_LIFE`].
const MAX_REMEMBERED: usize = 100_000;

/// No token that we accept lives longer than this many seconds.
const LONGEST_LIFE: i64 = 60 * 60;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// Unreadable, forged, out of date or made for something else.
    #[error(transparent)]
    Invalid(#[from] JwtError),
    /// Revoked, or issued before the node started.
    #[error("the token was revoked")]
    Denied,
    /// A link that was used before.
    #[error("the link was used already")]
    Used,
}

/// The node's memory of tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    key: NodeToken,
    clock: Arc<dyn Clock>,
    started: Timestamp,
    denied: Mutex<Denied>,
    used: Mutex<HashMap<String, i64>>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Denied {
    /// By token id, for all servers, and when.
    ids: HashMap<String, i64>,
    /// By server and user, and when.
    pairs: HashMap<(ServerUuid, UserUuid), i64>,
}

impl Tokens {
    pub(crate) fn new(key: NodeToken, clock: Arc<dyn Clock>) -> Self {
        let started = clock.now();
        let (changes, _) = watch::channel(0);
        Self {
            key,
            clock,
            started,
            denied: Mutex::default(),
            used: Mutex::default(),
            changes,
        }
    }

    /// Tells of every denial, so that open sessions look again at once.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Reads a token of purpose `P` without using it up. Whether it is revoked is asked separately,
    /// and again for as long as it is in use.
    pub(crate) fn read<P: Purpose>(&self, token: &str) -> Result<Claims<P>, TokenError> {
        Ok(jwt::verify(&self.key, token, self.clock.now())?)
    }

    /// Reads a link's token of purpose `P` and uses it up.
    pub(crate) fn redeem<P: Purpose>(&self, token: &str) -> Result<Claims<P>, TokenError> {
        let claims: Claims<P> = self.read(token)?;
        if self.is_denied(&claims) {
            return Err(TokenError::Denied);
        }
        let now = self.clock.now().seconds();
        let mut used = self.used.lock();
        if used.len() >= MAX_REMEMBERED {
            used.retain(|_, until| *until >= now);
        }
        // A full memory refuses: accepting would make links usable twice.
        if used.len() >= MAX_REMEMBERED || used.contains_key(&claims.unique_id) {
            return Err(TokenError::Used);
        }
        used.insert(
            claims.unique_id.clone(),
            claims.exp.min(now.saturating_add(LONGEST_LIFE)),
        );
        Ok(claims)
    }

    /// Reads the token of a link that is being opened. Some download managers ask for the size
    /// first; that does not use the link up.
    pub(crate) fn link<P: Purpose>(
        &self,
        token: &str,
        method: &Method,
    ) -> Result<Claims<P>, TokenError> {
        if *method != Method::HEAD {
            return self.redeem(token);
        }
        let claims = self.read(token)?;
        if self.is_denied(&claims) {
            return Err(TokenError::Denied);
        }
        Ok(claims)
    }

    /// Whether the token was revoked, or issued before this node started. A token of the very
    /// second of a denial counts as older, since tokens tell whole seconds only.
    pub(crate) fn is_denied<P: Purpose>(&self, claims: &Claims<P>) -> bool {
        let denied = self.denied.lock();
        let covers = |since: Option<&i64>| since.is_some_and(|since| claims.iat <= *since);
        claims.iat < self.started.seconds()
            || covers(denied.ids.get(&claims.jti))
            || covers(
                denied
                    .pairs
                    .get(&(claims.purpose.server(), claims.user_uuid)),
            )
    }

    /// Revokes all tokens with these ids that were issued until now.
    pub(crate) fn deny(&self, ids: impl IntoIterator<Item = String>) {
        let now = self.clock.now().seconds();
        let mut denied = self.denied.lock();
        denied.make_room(now);
        denied.ids.extend(ids.into_iter().map(|id| (id, now)));
        drop(denied);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Revokes all of a user's tokens for these servers that were issued until now.
    pub(crate) fn deny_user(&self, user: UserUuid, servers: impl IntoIterator<Item = ServerUuid>) {
        let now = self.clock.now().seconds();
        let mut denied = self.denied.lock();
        denied.make_room(now);
        denied
            .pairs
            .extend(servers.into_iter().map(|server| ((server, user), now)));
        drop(denied);
        self.changes.send_modify(|count| *count += 1);
    }
}

impl Denied {
    /// Forgets denials that no token can be older than.
    fn make_room(&mut self, now: i64) {
        if self.ids.len() + self.pairs.len() >= MAX_REMEMBERED {
            let oldest = now.saturating_sub(LONGEST_LIFE);
            self.ids.retain(|_, since| *since >= oldest);
            self.pairs.retain(|_, since| *since >= oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hatchery_ambient::ManualClock;
    use hatchery_node_proto::jwt::{FileUpload, Grant, issue, pair_id};
    use hatchery_vocab::UserId;

    use super::*;

    struct Desk {
        clock: ManualClock,
        tokens: Tokens,
        server: ServerUuid,
        user: UserUuid,
        issued: Mutex<u32>,
    }

    impl Desk {
        fn new() -> Self {
            let clock = ManualClock::new(Timestamp::from_seconds(1_000_000));
            Self {
                tokens: Tokens::new(NodeToken::new("key"), Arc::new(clock.clone())),
                clock,
                server: "f3f95466-7e8b-42a4-8504-6e7055874e39".parse().unwrap(),
                user: "d3aac109-cfa8-4ac0-b09c-09f78c8c77a5".parse().unwrap(),
                issued: Mutex::new(0),
            }
        }

        fn issue(&self) -> String {
            *self.issued.lock() += 1;
            let grant = Grant {
                issuer: "p",
                audience: "n",
                user: self.user,
                user_id: UserId::new(1),
                now: self.clock.now(),
                unique_id: self.issued.lock().to_string(),
            };
            issue(
                &NodeToken::new("key"),
                grant,
                FileUpload {
                    server_uuid: self.server,
                },
            )
        }

        fn redeem(&self, token: &str) -> Result<(), TokenError> {
            self.tokens.redeem::<FileUpload>(token).map(drop)
        }
    }

    #[test]
    fn a_link_works_once() {
        let desk = Desk::new();
        let (first, second) = (desk.issue(), desk.issue());
        assert_eq!(desk.redeem(&first), Ok(()));
        assert_eq!(desk.redeem(&first), Err(TokenError::Used));
        assert_eq!(desk.redeem(&second), Ok(()));
    }

    #[test]
    fn a_denial_covers_what_was_issued_until_then() {
        let desk = Desk::new();
        let second = Duration::from_secs(1);
        for deny in [
            (|desk: &Desk| desk.tokens.deny([pair_id(UserId::new(1), desk.server)])) as fn(&Desk),
            |desk| desk.tokens.deny_user(desk.user, [desk.server]),
        ] {
            let before = desk.issue();
            let changes = desk.tokens.changes();
            deny(&desk);
            assert!(changes.has_changed().unwrap());
            assert_eq!(desk.redeem(&before), Err(TokenError::Denied));
            assert_eq!(
                desk.redeem(&desk.issue()),
                Err(TokenError::Denied),
                "the same second"
            );
            desk.clock.advance(second);
            assert_eq!(desk.redeem(&desk.issue()), Ok(()));
        }
    }

    #[test]
    fn what_was_issued_before_the_start_is_denied() {
        let desk = Desk::new();
        let early = desk.issue();
        desk.clock.advance(Duration::from_secs(1));
        let restarted = Tokens::new(NodeToken::new("key"), Arc::new(desk.clock.clone()));
        assert_eq!(
            restarted.redeem::<FileUpload>(&early).map(drop),
            Err(TokenError::Denied)
        );
    }
}
