//! The last of an instance's output, with the position of every byte since its start.

use std::collections::VecDeque;

/// How much output a keeper remembers.
pub(crate) const RING_BYTES: usize = 256 * 1024;

/// A bounded memory of a stream. The oldest bytes go first.
#[derive(Debug)]
pub(crate) struct Ring {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// How many bytes the stream has had.
    end: u64,
}

impl Ring {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            capacity,
            end: 0,
        }
    }

    /// Where the oldest remembered byte is.
    pub(crate) fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// Where the next byte will be.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.end += bytes.len() as u64;
        let bytes = &bytes[bytes.len().saturating_sub(self.capacity)..];
        let surplus = (self.bytes.len() + bytes.len()).saturating_sub(self.capacity);
        self.bytes.drain(..surplus);
        self.bytes.extend(bytes);
    }

    /// At most `most` bytes from a position on, and the position that they really have: later than
    /// the one asked for where that is forgotten.
    pub(crate) fn read(&self, from: u64, most: usize) -> (u64, Vec<u8>) {
        let from = from.clamp(self.start(), self.end);
        let skip = (from - self.start()) as usize;
        (from, self.bytes.range(skip..).take(most).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_bytes_go_first() {
        let mut ring = Ring::new(8);
        ring.push(b"abcdef");
        assert_eq!(ring.read(0, 100), (0, b"abcdef".to_vec()));
        ring.push(b"ghij");
        assert_eq!((ring.start(), ring.end()), (2, 10));
        assert_eq!(ring.read(0, 3), (2, b"cde".to_vec()));
        assert_eq!(ring.read(9, 100), (9, b"j".to_vec()));
        assert_eq!(ring.read(99, 100), (10, Vec::new()));
        ring.push(b"0123456789");
        assert_eq!(ring.read(0, 100), (12, b"23456789".to_vec()));
    }
}
