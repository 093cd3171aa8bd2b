//! Fixed windows per key: how often something may be done (client-api.md §1.9).
//!
//! A window starts at the first event and lasts its whole period; then the count starts again.
//! Counters live in shards, so that two callers seldom wait for each other, and their number is
//! bounded: full shards forget ended windows first and the oldest window when none has ended.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

use hatchery_vocab::Timestamp;
use parking_lot::Mutex;

const SHARDS: usize = 32;
/// How many keys one shard remembers.
const CALLERS_PER_SHARD: usize = 4096;

/// Counts requests.
#[derive(Debug)]
pub struct Windows<K> {
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

impl<K: Copy + Eq + Hash> Windows<K> {
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

    /// Takes back one event that turned out not to count.
    pub fn give_back(&self, caller: K) {
        let shard = self.hasher.hash_one(caller) as usize % SHARDS;
        if let Some(window) = self.shards[shard].lock().get_mut(&caller) {
            window.count = window.count.saturating_sub(1);
        }
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
    /// The one with fewer left.
    #[must_use]
    pub const fn tighter(self, other: Self) -> Self {
        if other.remaining < self.remaining {
            other
        } else {
            self
        }
    }

    /// How often within a window.
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// How often it may still be done.
    pub const fn remaining(self) -> u32 {
        self.remaining
    }

    /// When the window ends.
    pub const fn reset(self) -> Timestamp {
        self.reset
    }
}

impl Exceeded {
    /// The window that is used up.
    pub const fn quota(self) -> Quota {
        self.quota
    }

    /// How long to wait in seconds, rounded up, so that a client that waits exactly this long is
    /// not refused again.
    pub fn retry_after(self) -> u64 {
        self.wait.as_micros().div_ceil(1_000_000) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn key(id: i64) -> i64 {
        id
    }

    #[test]
    fn a_window_is_fixed_and_callers_do_not_share_it() {
        let limiter = Windows::new(2, MINUTE);
        let start = Timestamp::from_seconds(1_000);
        let at = |seconds| start.plus(Duration::from_secs(seconds));
        assert_eq!(limiter.hit(key(1), start).unwrap().remaining, 1);
        assert_eq!(limiter.hit(key(1), at(59)).unwrap().remaining, 0);
        let exceeded = limiter.hit(key(1), at(59)).unwrap_err();
        assert_eq!(exceeded.retry_after(), 1);
        assert_eq!(exceeded.quota.reset, at(60));
        assert_eq!(limiter.hit(key(2), at(59)).unwrap().remaining, 1);
        assert_eq!(limiter.hit(key(1), at(60)).unwrap().remaining, 1);
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Windows::new(2, MINUTE);
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
