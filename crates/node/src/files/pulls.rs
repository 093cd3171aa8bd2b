//! The pulls that run for one server: how many, how far, and how to end them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hatchery_node_proto::PullProgress;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How many files are fetched for one server at once (node-protocol.md §3.6).
pub(super) const MAX_PULLS: usize = 3;

/// A server's pulls.
#[derive(Debug, Default)]
pub(crate) struct Pulls(Mutex<Vec<Arc<Pull>>>);

/// One file that is being fetched.
#[derive(Debug)]
pub(super) struct Pull {
    pub(super) id: Uuid,
    pub(super) cancelled: CancellationToken,
    received: AtomicU64,
    /// How many bytes there will be; zero while nobody knows.
    total: AtomicU64,
}

/// A pull's place among those that run, given back when it ends, however it ends.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pulls: &'a Pulls,
    pub(super) pull: Arc<Pull>,
}

impl Pulls {
    /// Takes a place for a pull that ends at the latest with `parent`; nothing when all are taken.
    pub(super) fn begin(&self, id: Uuid, parent: &CancellationToken) -> Option<Arc<Pull>> {
        let mut running = self.0.lock();
        if running.len() >= MAX_PULLS {
            return None;
        }
        let pull = Arc::new(Pull {
            id,
            cancelled: parent.child_token(),
            received: AtomicU64::new(0),
            total: AtomicU64::new(0),
        });
        running.push(Arc::clone(&pull));
        Some(pull)
    }

    /// Holds the place of a pull that [`Pulls::begin`] let in.
    pub(super) const fn hold(&self, pull: Arc<Pull>) -> Place<'_> {
        Place { pulls: self, pull }
    }

    /// How far each has come.
    pub(super) fn progress(&self) -> Vec<PullProgress> {
        let running = self.0.lock();
        let shown = running.iter().map(|pull| PullProgress {
            identifier: pull.id.to_string(),
            progress: pull.share(),
        });
        shown.collect()
    }

    /// Ends all of them.
    pub(crate) fn cancel_all(&self) {
        for pull in &*self.0.lock() {
            pull.cancelled.cancel();
        }
    }

    /// Ends the pull of this id, if there is one.
    pub(super) fn cancel(&self, id: &str) {
        let running = self.0.lock();
        if let Some(pull) = running.iter().find(|pull| pull.id.to_string() == id) {
            pull.cancelled.cancel();
        }
    }
}

impl Pull {
    /// Notes what arrived, and how much is to come.
    pub(super) fn advance(&self, received: u64, total: Option<u64>) {
        self.received.store(received, Ordering::Relaxed);
        self.total.store(total.unwrap_or(0), Ordering::Relaxed);
    }

    fn share(&self) -> f64 {
        match self.total.load(Ordering::Relaxed) {
            0 => 0.0,
            total => self.received.load(Ordering::Relaxed) as f64 / total as f64,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pulls.0.lock().retain(|pull| pull.id != self.pull.id);
    }
}
