//! Fixed windows per caller (client-api.md §1.9, with the mission's figures).
//!
//! A window starts at the first request and lasts its whole period; then the count starts again.
//! Counters live in shards, so that two callers seldom wait for each other, and their number is
//! bounded: full shards forget ended windows first and the oldest window when none has ended.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

use axum::response::Response;
use hatchery_vocab::{ApiKeyId, Timestamp, UserId};
use http::{HeaderName, HeaderValue, header};
use parking_lot::Mutex;

use super::error::ApiError;

const SHARDS: usize = 32;
/// How many callers one shard remembers.
const CALLERS_PER_SHARD: usize = 4096;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// One API key.
    Key(ApiKeyId),
    /// All browser sessions of one user.
    Sessions(UserId),
}

/// Counts requests.
#[derive(Debug)]
pub struct RateLimiter<K = Caller> {
    limit: u32,
    period: Duration,
    hasher: RandomState,
    shards: [Mutex<HashMap<K, Window>>; SHARDS],
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends: Timestamp,
    count: u32,
}

/// Where a caller stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    limit: u32,
    remaining: u32,
    reset: Timestamp,
}

/// The caller has used up the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    quota: Quota,
    wait: Duration,
}

impl<K: Copy + Eq + Hash> RateLimiter<K> {
    /// So many requests per period.
    pub fn new(limit: u32, period: Duration) -> Self {
        Self {
            limit,
            period,
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Counts one request.
    pub fn hit(&self, caller: K, now: Timestamp) -> Result<Quota, Exceeded> {
        let shard = self.hasher.hash_one(caller) as usize % SHARDS;
        let mut windows = self.shards[shard].lock();
        if windows.len() >= CALLERS_PER_SHARD && !windows.contains_key(&caller) {
            make_room(&mut windows, now);
        }
        let fresh = Window {
            ends: now.plus(self.period),
            count: 0,
        };
        let window = windows.entry(caller).or_insert(fresh);
        if window.ends <= now {
            *window = fresh;
        }
        let quota = |count: u32| Quota {
            limit: self.limit,
            remaining: self.limit.saturating_sub(count),
            reset: window.ends,
        };
        if window.count >= self.limit {
            return Err(Exceeded {
                quota: quota(window.count),
                wait: window.ends.since(now),
            });
        }
        let counted = quota(window.count + 1);
        window.count += 1;
        Ok(counted)
    }

    /// Forgets what was counted for a caller.
    pub fn clear(&self, caller: K) {
        let shard = self.hasher.hash_one(caller) as usize % SHARDS;
        self.shards[shard].lock().remove(&caller);
    }
}

fn make_room<K: Copy + Eq + Hash>(windows: &mut HashMap<K, Window>, now: Timestamp) {
    windows.retain(|_, window| window.ends > now);
    if windows.len() >= CALLERS_PER_SHARD
        && let Some(oldest) = windows
            .iter()
            .min_by_key(|(_, window)| window.ends)
            .map(|(key, _)| *key)
    {
        windows.remove(&oldest);
    }
}

impl Quota {
    /// The one with fewer requests left.
    pub fn tighter(self, other: Self) -> Self {
        if other.remaining < self.remaining {
            other
        } else {
            self
        }
    }

    /// Puts the three headers on an answer. The mission wants `X-RateLimit-Reset` on every limited
    /// answer, not only on refusals.
    pub fn describe(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(self.reset.seconds()));
    }
}

impl Exceeded {
    /// How long to wait in seconds, rounded up, so that a client that waits exactly this long is
    /// not refused again.
    pub fn retry_after(self) -> u64 {
        self.wait.as_micros().div_ceil(1_000_000) as u64
    }
}

impl From<Exceeded> for ApiError {
    fn from(exceeded: Exceeded) -> Self {
        let Quota {
            limit,
            remaining,
            reset,
        } = exceeded.quota;
        let seconds = exceeded.retry_after();
        Self::too_many_attempts()
            .with_header(LIMIT, HeaderValue::from(limit))
            .with_header(REMAINING, HeaderValue::from(remaining))
            .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
            .with_header(RESET, HeaderValue::from(reset.seconds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn key(id: i64) -> Caller {
        Caller::Key(ApiKeyId::new(id))
    }

    #[test]
    fn a_window_is_fixed_and_callers_do_not_share_it() {
        let limiter = RateLimiter::new(2, MINUTE);
        let start = Timestamp::from_seconds(1_000);
        let at = |seconds| start.plus(Duration::from_secs(seconds));
        assert_eq!(limiter.hit(key(1), start).unwrap().remaining, 1);
        assert_eq!(limiter.hit(key(1), at(59)).unwrap().remaining, 0);
        let exceeded = limiter.hit(key(1), at(59)).unwrap_err();
        assert_eq!(exceeded.retry_after(), 1);
        assert_eq!(exceeded.quota.reset, at(60));
        assert_eq!(limiter.hit(key(2), at(59)).unwrap().remaining, 1);
        assert_eq!(
            limiter
                .hit(Caller::Sessions(UserId::new(1)), at(59))
                .unwrap()
                .remaining,
            1
        );
        assert_eq!(limiter.hit(key(1), at(60)).unwrap().remaining, 1);
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = RateLimiter::new(2, MINUTE);
        let start = Timestamp::from_seconds(1_000);
        let many = (SHARDS * CALLERS_PER_SHARD + 1_000) as i64;
        for id in 0..many {
            limiter
                .hit(key(id), start.plus(Duration::from_micros(id as u64)))
                .unwrap();
        }
        let remembered: usize = limiter.shards.iter().map(|shard| shard.lock().len()).sum();
        assert!(remembered <= SHARDS * CALLERS_PER_SHARD);
        assert!(limiter.hit(key(many), start.plus(MINUTE * 2)).is_ok());
    }
}
