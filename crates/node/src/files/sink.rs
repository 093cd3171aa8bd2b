//! A file that grows as bytes arrive.

use std::sync::Arc;

use bytes::Bytes;
use hatchery_serverfs::{FsError, RelPath, ServerDir, Writer};

use super::blocking;

/// How many bytes are gathered before they go to the disk in one step.
const BATCH: usize = 256 * 1024;

/// A file being received. It takes its place with [`Sink::commit`]; dropped before that, it never
/// was. No thread is held while nothing arrives.
#[derive(Debug)]
pub(super) struct Sink {
    writer: Writer,
    batch: Vec<Bytes>,
    waiting: usize,
    received: u64,
}

impl Sink {
    pub(super) async fn open(files: Arc<ServerDir>, path: RelPath) -> Result<Self, FsError> {
        let writer = blocking(move || files.write(&path)).await?;
        Ok(Self {
            writer,
            batch: Vec::new(),
            waiting: 0,
            received: 0,
        })
    }

    /// How many bytes have arrived.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Adds bytes. After an error the file is gone.
    pub(super) async fn push(mut self, bytes: Bytes) -> Result<Self, FsError> {
        self.received += bytes.len() as u64;
        self.waiting += bytes.len();
        self.batch.push(bytes);
        if self.waiting < BATCH {
            Ok(self)
        } else {
            blocking(move || self.flush()).await
        }
    }

    /// Puts the file in its place.
    pub(super) async fn commit(self) -> Result<(), FsError> {
        blocking(move || self.flush()?.writer.commit()).await
    }

    fn flush(mut self) -> Result<Self, FsError> {
        for bytes in self.batch.drain(..) {
            self.writer.write(&bytes)?;
        }
        self.waiting = 0;
        Ok(self)
    }
}
