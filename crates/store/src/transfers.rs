//! Transfers: servers on their way from one node to another.

use hatchery_vocab::{AllocationId, NodeId, ServerId, TransferId};

use crate::sql::{Json, cell, params};
use crate::{StoreError, Tx};

/// A server that begins to move.
#[derive(Clone, Debug)]
pub struct NewTransfer {
    /// The server.
    pub server_id: ServerId,
    /// Where it is.
    pub old_node: NodeId,
    /// Where it goes.
    pub new_node: NodeId,
    /// Its primary allocation.
    pub old_allocation: AllocationId,
    /// The primary allocation that it gets.
    pub new_allocation: AllocationId,
    /// Its other allocations.
    pub old_additional: Vec<AllocationId>,
    /// The other allocations that it gets.
    pub new_additional: Vec<AllocationId>,
}

impl Tx {
    /// Begins a transfer.
    ///
    /// # Errors
    /// The unique index `transfers_open` while another is under way.
    pub async fn create_transfer(
        &mut self,
        transfer: &NewTransfer,
    ) -> Result<TransferId, StoreError> {
        let numbers =
            |ids: &[AllocationId]| Json(ids.iter().map(|id| id.get()).collect::<Vec<_>>());
        let now = self.now();
        let row = self
            .db()
            .one(
                "INSERT INTO transfers (server_id, old_node, new_node, old_allocation, new_allocation,
                   old_additional_allocations, new_additional_allocations, archived, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, $8, $8) RETURNING id",
                &params![
                    transfer.server_id,
                    transfer.old_node,
                    transfer.new_node,
                    transfer.old_allocation,
                    transfer.new_allocation,
                    numbers(&transfer.old_additional),
                    numbers(&transfer.new_additional),
                    now
                ],
            )
            .await?;
        self.changes.servers.push(transfer.server_id);
        cell(row)
    }
}
