//! Holds back a server that prints too much.

use std::time::Duration;

use tokio::time::Instant;

/// How many lines may be shown per [`PERIOD`] (node-protocol.md §1.1).
const LINES: u32 = 2000;
const PERIOD: Duration = Duration::from_millis(100);

/// Counts lines per period.
#[derive(Debug)]
pub(crate) struct Throttle {
    began: Instant,
    lines: u32,
    announced: bool,
}

/// What to do with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Show,
    /// Drop it, and say so once.
    Announce,
    Drop,
}

impl Throttle {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            began: now,
            lines: 0,
            announced: false,
        }
    }

    pub(crate) fn line(&mut self, now: Instant) -> Verdict {
        if now.duration_since(self.began) >= PERIOD {
            // A burst ends with the first period that stays below the limit.
            self.announced &= self.lines > LINES;
            self.began = now;
            self.lines = 0;
        }
        self.lines = self.lines.saturating_add(1);
        if self.lines <= LINES {
            Verdict::Show
        } else if self.announced {
            Verdict::Drop
        } else {
            self.announced = true;
            Verdict::Announce
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_announced_once() {
        let start = Instant::now();
        let mut throttle = Throttle::new(start);
        let mut burst = |at: Duration, lines: u32| {
            let verdicts: Vec<_> = (0..lines).map(|_| throttle.line(start + at)).collect();
            let count = |wanted| {
                verdicts
                    .iter()
                    .filter(|verdict| **verdict == wanted)
                    .count()
            };
            (
                count(Verdict::Show),
                count(Verdict::Announce),
                count(Verdict::Drop),
            )
        };
        assert_eq!(burst(Duration::ZERO, 2500), (2000, 1, 499));
        assert_eq!(burst(PERIOD, 2500), (2000, 0, 500), "the burst goes on");
        assert_eq!(burst(PERIOD * 2, 10), (10, 0, 0));
        assert_eq!(burst(PERIOD * 3, 2001), (2000, 1, 0), "a new burst");
    }
}
