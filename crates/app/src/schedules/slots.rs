//! How much is done at once.

use std::collections::HashMap;
use std::sync::Arc;

use hatchery_vocab::NodeId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Tasks that are carried out at once.
const MAX_JOBS: usize = 64;
/// How many of them on one node, so that a slow one leaves room for the others.
const MAX_JOBS_ON_NODE: usize = 8;

/// How many jobs are being done, and on which nodes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Slots(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    taken: Mutex<HashMap<NodeId, usize>>,
    freed: Notify,
}

/// Room for one job, which ends with it.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    node: NodeId,
}

impl Slots {
    /// Waits until a job has ended.
    pub async fn freed(&self) {
        self.0.freed.notified().await;
    }

    pub(super) fn free(&self) -> u64 {
        let taken: usize = self.0.taken.lock().values().sum();
        MAX_JOBS.saturating_sub(taken) as u64
    }

    pub(super) fn full_nodes(&self) -> Vec<NodeId> {
        let taken = self.0.taken.lock();
        let full = taken.iter().filter(|(_, jobs)| **jobs >= MAX_JOBS_ON_NODE);
        full.map(|(node, _)| *node).collect()
    }

    pub(super) fn take(&self, node: NodeId) -> Option<Slot> {
        let mut taken = self.0.taken.lock();
        let jobs = taken.entry(node).or_default();
        if *jobs >= MAX_JOBS_ON_NODE {
            return None;
        }
        *jobs += 1;
        Some(Slot {
            slots: self.clone(),
            node,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let inner = &self.slots.0;
        let mut taken = inner.taken.lock();
        if let Some(jobs) = taken.get_mut(&self.node) {
            *jobs -= 1;
            if *jobs == 0 {
                taken.remove(&self.node);
            }
        }
        inner.freed.notify_one();
    }
}
