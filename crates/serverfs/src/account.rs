//! How much of the disk a server uses, and how much it may.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{FsError, Result, ServerDir};

/// How much a server may keep on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskLimit {
    /// As much as there is.
    #[default]
    Unlimited,
    /// So many bytes.
    Bytes(u64),
}

/// The books of one server. `used` is what the last walk found, adjusted by what was written and
/// deleted since; `reserved` is the growth that open writers have taken and not yet handed in.
#[derive(Debug, Default)]
pub(crate) struct Account(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    used: u64,
    reserved: u64,
    limit: DiskLimit,
}

impl Account {
    /// Takes room for a write that is going on.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<()> {
        let mut books = self.0.lock();
        let total = books
            .used
            .saturating_add(books.reserved)
            .saturating_add(bytes);
        match books.limit {
            DiskLimit::Bytes(limit) if total > limit && bytes > 0 => Err(FsError::NoSpace),
            _ => {
                books.reserved += bytes;
                Ok(())
            }
        }
    }

    /// Gives reserved room back without using it.
    pub(crate) fn release(&self, bytes: u64) {
        let mut books = self.0.lock();
        books.reserved = books.reserved.saturating_sub(bytes);
    }

    /// Hands in a finished write: its reservation ends, `added` bytes came and `removed` went.
    pub(crate) fn settle(&self, reserved: u64, added: u64, removed: u64) {
        let mut books = self.0.lock();
        books.reserved = books.reserved.saturating_sub(reserved);
        books.used = books.used.saturating_add(added).saturating_sub(removed);
    }

    /// Notes what a walk found.
    pub(crate) fn measured(&self, used: u64) {
        self.0.lock().used = used;
    }
}

/// Room taken from a server's disk limit, given back when the write comes to nothing.
#[derive(Debug)]
pub(crate) struct Reservation {
    account: Arc<Account>,
    bytes: u64,
}

impl Reservation {
    pub(crate) fn new(dir: &ServerDir) -> Self {
        Self {
            account: Arc::clone(dir.account()),
            bytes: 0,
        }
    }

    /// Makes the reservation at least so large.
    pub(crate) fn grow_to(&mut self, bytes: u64) -> Result<()> {
        if bytes > self.bytes {
            self.account.reserve(bytes - self.bytes)?;
            self.bytes = bytes;
        }
        Ok(())
    }

    /// Turns the reservation into use: `added` bytes came, `removed` went.
    pub(crate) fn settle(mut self, added: u64, removed: u64) {
        self.account
            .settle(std::mem::take(&mut self.bytes), added, removed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.account.release(self.bytes);
    }
}

impl ServerDir {
    /// Sets how much the server may keep. What is there already stays.
    pub fn set_disk_limit(&self, limit: DiskLimit) {
        self.account().0.lock().limit = limit;
    }

    /// The sum of the sizes of all regular files in bytes, as known from the last
    /// [`ServerDir::measure`] and the writes and deletions since. Zero until then
    /// (node-protocol.md §7.2).
    pub fn disk_usage(&self) -> u64 {
        self.account().0.lock().used
    }

    /// Whether the server keeps more than it may.
    pub fn is_over_limit(&self) -> bool {
        let books = self.account().0.lock();
        matches!(books.limit, DiskLimit::Bytes(limit) if books.used > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_count_until_they_are_settled_or_released() {
        let account = Account::default();
        account.measured(60);
        account.0.lock().limit = DiskLimit::Bytes(100);
        account.reserve(30).unwrap();
        assert!(matches!(account.reserve(11), Err(FsError::NoSpace)));
        account.reserve(10).unwrap();
        account.release(10);
        account.settle(30, 30, 5);
        assert_eq!(account.0.lock().used, 85);
        account.reserve(15).unwrap();
        assert!(matches!(account.reserve(1), Err(FsError::NoSpace)));
        account.reserve(0).unwrap();
    }
}
