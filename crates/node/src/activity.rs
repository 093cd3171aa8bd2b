//! What people did here, kept until the panel has it (node-protocol.md §10).

use std::collections::VecDeque;
use std::net::IpAddr;

use hatchery_node_proto::{ActivityEntry, PanelError};
use hatchery_vocab::{ServerUuid, Timestamp, UserUuid};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::sync::Notify;

use crate::state::NodeState;

/// How many entries are kept while the panel cannot be reached; then the oldest are lost.
const MAX_KEPT: usize = 10_000;
/// How many entries go to the panel at once.
const BATCH: usize = 100;

/// Entries that the panel does not have yet.
#[derive(Debug, Default)]
pub(crate) struct ActivityLog {
    entries: Mutex<VecDeque<ActivityEntry>>,
    flush: Notify,
}

impl ActivityLog {
    /// Notes what somebody did.
    pub(crate) fn record(
        &self,
        server: ServerUuid,
        user: Option<UserUuid>,
        address: IpAddr,
        event: &str,
        metadata: Map<String, Value>,
        now: Timestamp,
    ) {
        let mut entries = self.entries.lock();
        if entries.len() == MAX_KEPT {
            entries.pop_front();
        }
        entries.push_back(ActivityEntry {
            user,
            server,
            event: event.to_owned(),
            metadata: Some(metadata),
            ip: address.to_string(),
            timestamp: now.iso_utc(),
        });
        if entries.len() >= BATCH {
            self.flush.notify_one();
        }
    }

    /// Hands everything to the panel. What it does not take stays for the next time, except for a
    /// batch that it refuses, which it would refuse for ever.
    pub(crate) async fn flush(&self, node: &NodeState) -> Result<(), PanelError> {
        loop {
            let batch = self.take();
            if batch.is_empty() {
                return Ok(());
            }
            match node.panel.activity(&batch).await {
                Ok(()) => {}
                Err(error @ PanelError::Refused { .. }) => {
                    tracing::error!(%error, entries = batch.len(), "the panel refuses activity, which is lost");
                }
                Err(error) => {
                    self.put_back(batch);
                    return Err(error);
                }
            }
        }
    }

    fn take(&self) -> Vec<ActivityEntry> {
        let mut entries = self.entries.lock();
        let count = entries.len().min(BATCH);
        entries.drain(..count).collect()
    }

    fn put_back(&self, batch: Vec<ActivityEntry>) {
        let mut entries = self.entries.lock();
        let room = MAX_KEPT.saturating_sub(entries.len());
        batch
            .into_iter()
            .rev()
            .take(room)
            .for_each(|entry| entries.push_front(entry));
    }
}

/// Hands activity to the panel now and then, for ever.
pub(crate) async fn push(node: NodeState) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(node.config.activity_interval) => {}
            () = node.activity.flush.notified() => {}
        }
        if let Err(error) = node.activity.flush(&node).await {
            tracing::warn!(%error, "activity stays here until the panel takes it");
            tokio::time::sleep(node.config.activity_interval).await;
        }
    }
}
