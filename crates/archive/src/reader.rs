//! Readers that watch how much is read.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

/// A reader that counts.
pub(crate) struct Counted<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    /// The reader, and what was read by now.
    pub(crate) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let read = Rc::new(Cell::new(0));
        let counted = Self {
            inner,
            read: Rc::clone(&read),
        };
        (counted, read)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

/// A reader with an allowance, for code that reads what somebody else declared into memory.
pub(crate) struct Rationed<R> {
    inner: R,
    allowance: Allowance,
}

/// What a [`Rationed`] reader may still read.
#[derive(Clone)]
pub(crate) struct Allowance(Rc<Cell<u64>>);

impl Allowance {
    pub(crate) fn set(&self, bytes: u64) {
        self.0.set(bytes);
    }
}

impl<R> Rationed<R> {
    pub(crate) fn new(inner: R, bytes: u64) -> (Self, Allowance) {
        let allowance = Allowance(Rc::new(Cell::new(bytes)));
        let rationed = Self {
            inner,
            allowance: allowance.clone(),
        };
        (rationed, allowance)
    }
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.allowance.0.get().checked_sub(count as u64);
        self.allowance.0.set(left.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "its descriptions are too long")
        })?);
        Ok(count)
    }
}

impl<R: Seek> Seek for Rationed<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
