//! What a piece of work shares with whoever waits for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{ArchiveError, Result};

/// How far packing or unpacking has come, and whether it is to go on.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// How many bytes of files' contents were packed or unpacked so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Ends the work soon, with [`ArchiveError::Cancelled`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Counts bytes, and stops when that is wished.
    pub(crate) fn advance(&self, bytes: u64) -> Result<()> {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.is_cancelled() {
            Err(ArchiveError::Cancelled)
        } else {
            Ok(())
        }
    }
}
