//! What is written behind: activity entries, and the times at which API keys were used.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use hatchery_db::DbError;
use hatchery_vocab::{ApiKeyId, Timestamp};
use parking_lot::Mutex;

use crate::sql::params;
use crate::{ActivityEntry, Store, StoreError};

/// Activity entries that may wait. More are refused, with a line in the log.
const MAX_ENTRIES: usize = 16_384;
/// API keys whose use may wait to be written.
const MAX_TOUCHES: usize = 16_384;
/// Entries, or keys, in one transaction: so few that other writers need not wait for long.
const BATCH: usize = 250;

#[derive(Default)]
pub(crate) struct Buffer {
    waiting: Mutex<Waiting>,
    /// Held while writing, so that whoever flushes finds all earlier entries written.
    flushing: tokio::sync::Mutex<()>,
    refused: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<ActivityEntry>,
    touches: HashMap<ApiKeyId, Timestamp>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.touches.is_empty()
    }
}

impl Buffer {
    pub(crate) fn push(&self, entry: ActivityEntry) {
        let mut waiting = self.waiting.lock();
        if waiting.entries.len() < MAX_ENTRIES {
            waiting.entries.push_back(entry);
        } else {
            drop(waiting);
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn touch(&self, key: ApiKeyId, at: Timestamp) {
        let touches = &mut self.waiting.lock().touches;
        if touches.len() < MAX_TOUCHES || touches.contains_key(&key) {
            touches.insert(key, at);
        }
    }

    pub(crate) fn has_activity(&self) -> bool {
        !self.waiting.lock().entries.is_empty()
    }

    /// When the key was used, if that is not written yet.
    pub(crate) fn touched(&self, key: ApiKeyId) -> Option<Timestamp> {
        self.waiting.lock().touches.get(&key).copied()
    }
}

impl Store {
    /// Writes everything that waits: for shutting down, and for reading what was just recorded.
    pub async fn flush(&self) -> Result<(), StoreError> {
        if self.buffer().waiting.lock().is_empty() {
            return Ok(());
        }
        // A task of its own: a caller that is cancelled must not leave a batch half noted, or
        // the next one would write it again.
        let store = self.clone();
        tokio::spawn(async move { store.write_waiting().await })
            .await
            .map_err(|error| DbError::Unavailable(error.to_string()))?
    }

    async fn write_waiting(&self) -> Result<(), StoreError> {
        let buffer = self.buffer();
        let _turn = buffer.flushing.lock().await;
        let refused = buffer.refused.swap(0, Ordering::Relaxed);
        if refused > 0 {
            tracing::error!(
                refused,
                "activity came faster than the database writes: entries were lost"
            );
        }
        // Entries leave the queue only when they are written, so that a failure does not lose them.
        loop {
            let batch: Vec<ActivityEntry> = buffer
                .waiting
                .lock()
                .entries
                .iter()
                .take(BATCH)
                .cloned()
                .collect();
            if batch.is_empty() {
                break;
            }
            let mut tx = self.begin().await?;
            tx.write_activity(&batch).await?;
            let (store, written) = (self.clone(), batch.len());
            tx.commit_then(move || drop(store.buffer().waiting.lock().entries.drain(..written)))
                .await?;
        }
        loop {
            let batch: Vec<(ApiKeyId, Timestamp)> = {
                let waiting = buffer.waiting.lock();
                waiting
                    .touches
                    .iter()
                    .take(BATCH)
                    .map(|(key, at)| (*key, *at))
                    .collect()
            };
            if batch.is_empty() {
                return Ok(());
            }
            let mut tx = self.begin().await?;
            for (key, at) in &batch {
                let sql = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1";
                tx.db().exec(sql, &params![key, at]).await?;
            }
            let store = self.clone();
            tx.commit_then(move || {
                let touches = &mut store.buffer().waiting.lock().touches;
                for (key, at) in batch {
                    // Used again in the meantime: that is still to be written.
                    if touches.get(&key) == Some(&at) {
                        touches.remove(&key);
                    }
                }
            })
            .await?;
        }
    }
}
