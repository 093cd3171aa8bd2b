//! The last lines of a console.

use std::collections::VecDeque;
use std::sync::Arc;

/// How many lines are kept: what `send logs` replays (node-protocol.md §1.1).
pub(crate) const MAX_LINES: usize = 150;
/// How many bytes they may have together.
const MAX_BYTES: usize = 512 * 1024;

/// The last lines of a console, bounded in number and size.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    lines: VecDeque<Arc<str>>,
    bytes: usize,
}

impl Ring {
    pub(crate) fn push(&mut self, line: &str) {
        self.bytes += line.len();
        self.lines.push_back(line.into());
        while self.lines.len() > MAX_LINES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.bytes = 0;
    }

    /// The last lines, oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<Arc<str>> {
        self.lines
            .iter()
            .skip(self.lines.len().saturating_sub(count))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_size_are_bounded() {
        let mut ring = Ring::default();
        (0..1000).for_each(|number| ring.push(&number.to_string()));
        assert_eq!(
            ring.last(2).iter().map(AsRef::as_ref).collect::<Vec<_>>(),
            ["998", "999"]
        );
        assert_eq!(ring.last(1000).len(), MAX_LINES);
        let long = "x".repeat(MAX_BYTES / 4);
        (0..9).for_each(|_| ring.push(&long));
        assert_eq!((ring.last(10).len(), ring.bytes), (4, MAX_BYTES));
        ring.clear();
        assert!(ring.last(1).is_empty());
    }
}
