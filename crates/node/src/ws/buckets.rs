//! How often a client may send (node-protocol.md §4.1).

use std::time::Duration;

use hatchery_node_proto::ws::inbound;
use tokio::time::Instant;

/// Whether a message may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Yes,
    /// No, and the client has to be told, once until something passes again.
    Tell(&'static str),
    No,
}

/// The limits of one socket.
#[derive(Debug)]
pub(super) struct Buckets {
    global: Bucket,
    auth: Bucket,
    logs: Bucket,
    commands: Bucket,
    others: Bucket,
}

impl Buckets {
    pub(super) fn new(now: Instant) -> Self {
        let bucket = |every, burst| Bucket {
            every,
            burst,
            full_at: now,
            told: false,
        };
        let second = Duration::from_secs(1);
        Self {
            global: bucket(Duration::from_millis(200), 10),
            auth: bucket(second * 5, 2),
            logs: bucket(second * 5, 2),
            commands: bucket(second, 10),
            others: bucket(second, 4),
        }
    }

    /// Takes from the limit of all messages, before one is even read.
    pub(super) fn any(&mut self, now: Instant) -> Pass {
        self.global.take(now, "global")
    }

    /// Takes from the limit of one event; `None` for an unknown one, which is ignored.
    pub(super) fn event(&mut self, event: &str, now: Instant) -> Option<Pass> {
        let (bucket, name) = match event {
            inbound::AUTH => (&mut self.auth, inbound::AUTH),
            inbound::SEND_LOGS => (&mut self.logs, inbound::SEND_LOGS),
            inbound::SEND_COMMAND => (&mut self.commands, inbound::SEND_COMMAND),
            inbound::SET_STATE => (&mut self.others, inbound::SET_STATE),
            inbound::SEND_STATS => (&mut self.others, inbound::SEND_STATS),
            _ => return None,
        };
        Some(bucket.take(now, name))
    }
}

/// A bucket of `burst` tokens, of which one comes back `every` so often.
#[derive(Debug)]
struct Bucket {
    every: Duration,
    burst: u32,
    /// When all tokens are back.
    full_at: Instant,
    told: bool,
}

impl Bucket {
    fn take(&mut self, now: Instant, name: &'static str) -> Pass {
        let full_at = self.full_at.max(now) + self.every;
        if full_at <= now + self.every * self.burst {
            self.full_at = full_at;
            self.told = false;
            Pass::Yes
        } else if std::mem::replace(&mut self.told, true) {
            Pass::No
        } else {
            Pass::Tell(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_pass_and_the_rest_is_told_once() {
        let start = Instant::now();
        let mut buckets = Buckets::new(start);
        let second = Duration::from_secs(1);
        for (event, burst) in [
            ("auth", 2),
            ("send logs", 2),
            ("send command", 10),
            ("send stats", 4),
        ] {
            for _ in 0..burst {
                assert_eq!(buckets.event(event, start), Some(Pass::Yes), "{event}");
            }
            assert!(matches!(buckets.event(event, start), Some(Pass::Tell(name)) if name == event));
            assert_eq!(buckets.event(event, start), Some(Pass::No));
        }
        assert_eq!(
            buckets.event("set state", start),
            Some(Pass::No),
            "shares a bucket"
        );
        assert_eq!(buckets.event("nonsense", start), None);
        assert_eq!(buckets.event("auth", start + second * 4), Some(Pass::No));
        assert_eq!(buckets.event("auth", start + second * 5), Some(Pass::Yes));
        assert_eq!(
            buckets.event("auth", start + second * 5),
            Some(Pass::Tell("auth"))
        );
        (0..10).for_each(|_| assert_eq!(buckets.any(start), Pass::Yes));
        assert_eq!(buckets.any(start), Pass::Tell("global"));
        assert_eq!(buckets.any(start + Duration::from_millis(200)), Pass::Yes);
    }
}
