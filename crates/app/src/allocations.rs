//! The addresses and ports of a server, as far as its people manage them (client-api.md §3.8, §11).

use std::num::NonZeroU32;

use hatchery_ambient::Entropy;
use hatchery_store::{Allocation, ServerSnapshot, StoreError, Subject, Tx};
use hatchery_vocab::{AllocationId, Port};

use crate::Cx;
use crate::access::{Access, needs};
use crate::activity::Event;

/// Allocations for people have ports above this, which programs without privileges may use.
const LAST_PRIVILEGED: u16 = 1024;

/// Why a server gets no more allocations.
#[derive(Debug, thiserror::Error)]
pub enum AssignError {
    /// It has as many as it may have.
    #[error("the server has as many allocations as it may have")]
    LimitReached,
    /// Nobody may add allocations.
    #[error("people may not add allocations")]
    Disabled,
    /// None is free, and none may be made.
    #[error("no allocation is free")]
    NoSpace,
    /// The only ports that may be made into allocations are privileged ones.
    #[error("the ports to choose from are out of range")]
    OutOfRange,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AssignError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LimitReached { .. } => Self::LimitReached,
            other => Self::Store(other),
        }
    }
}

/// Gives a server one more allocation: a random free one with the address of its primary one, or
/// one made for it. A limit that is not set counts as none.
pub async fn assign(
    cx: &Cx,
    access: &Access<needs::AllocationCreate>,
) -> Result<Allocation, AssignError> {
    let server = &access.server;
    let limit = server.feature_limits.allocations.unwrap_or_default();
    let mut tx = cx.store().begin().await?;
    tx.reserve_allocation(server.id, server.node.id, limit.into())
        .await?;
    if !cx.settings().client_allocations.enabled {
        return Err(AssignError::Disabled);
    }
    let id = find_or_make(cx, &mut tx, server).await?;
    tx.assign_allocations(server.id, &[id], false).await?;
    tx.commit().await?;
    let allocation = current(cx, server, id).await?.ok_or(AssignError::NoSpace)?;
    record(cx, access, "server:allocation.create", &allocation);
    Ok(allocation)
}

/// An allocation that nobody has.
async fn find_or_make(
    cx: &Cx,
    tx: &mut Tx,
    server: &ServerSnapshot,
) -> Result<AllocationId, AssignError> {
    let primary = server.primary_allocation().ok_or(AssignError::NoSpace)?;
    let (node, ip) = (server.node.id, primary.ip.as_str());
    let there = tx.ports_of_address(node, ip).await?;
    let free: Vec<AllocationId> = there.iter().filter_map(|(_, free)| *free).collect();
    if let Some(id) = pick(cx.entropy(), &free) {
        return Ok(*id);
    }
    let ranges = &cx.settings().client_allocations.ports;
    let allowed: Vec<Port> = ranges
        .iter()
        .cloned()
        .flatten()
        .filter(|port| *port > LAST_PRIVILEGED)
        .filter_map(Port::new)
        .collect();
    if allowed.is_empty() && !ranges.is_empty() {
        return Err(AssignError::OutOfRange);
    }
    let taken = |port: &Port| there.iter().any(|(taken, _)| taken == port);
    let unmade: Vec<Port> = allowed.into_iter().filter(|port| !taken(port)).collect();
    let port = *pick(cx.entropy(), &unmade).ok_or(AssignError::NoSpace)?;
    tx.create_allocations(node, ip, None, port, port).await?;
    let made = tx.allocations_by_port(node, port).await?;
    let made = made.into_iter().find(|made| made.ip == ip);
    made.map(|made| made.id).ok_or(AssignError::NoSpace)
}

fn pick<'a, T>(entropy: &dyn Entropy, from: &'a [T]) -> Option<&'a T> {
    let length = NonZeroU32::new(u32::try_from(from.len()).ok()?)?;
    from.get(entropy.index(length))
}

/// Changes what is noted down of an allocation. Nothing when the server has it no more.
pub async fn set_notes(
    cx: &Cx,
    access: &Access<needs::AllocationUpdate>,
    allocation: &Allocation,
    notes: Option<&str>,
) -> Result<Option<Allocation>, StoreError> {
    let server = &access.server;
    if allocation.notes.as_deref() != notes {
        let mut tx = cx.store().begin().await?;
        if !tx
            .set_allocation_notes(server.id, allocation.id, notes)
            .await?
        {
            return Ok(None);
        }
        tx.commit().await?;
        Event::new("server:allocation.notes")
            .with("allocation", name(allocation))
            .with("old", allocation.notes.as_deref())
            .with("new", notes)
            .about(Subject::Allocation(allocation.id))
            .on_server(cx, access);
    }
    current(cx, server, allocation.id).await
}

/// Makes an allocation the primary one. Nothing when the server has it no more.
pub async fn set_primary(
    cx: &Cx,
    access: &Access<needs::AllocationUpdate>,
    allocation: &Allocation,
) -> Result<Option<Allocation>, StoreError> {
    let server = &access.server;
    let mut tx = cx.store().begin().await?;
    if !tx.set_primary_allocation(server.id, allocation.id).await? {
        return Ok(None);
    }
    tx.commit().await?;
    record(cx, access, "server:allocation.primary", allocation);
    current(cx, server, allocation.id).await
}

/// Why an allocation stays.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The server may have none of its own choice.
    #[error("the server has no limit of allocations")]
    NoLimit,
    /// It is the primary one.
    #[error("it is the primary allocation")]
    Primary,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes an allocation away from a server. It stays with the node, without its notes.
pub async fn release(
    cx: &Cx,
    access: &Access<needs::AllocationDelete>,
    allocation: &Allocation,
) -> Result<(), ReleaseError> {
    let server = &access.server;
    if server.feature_limits.allocations.unwrap_or_default() == 0 {
        return Err(ReleaseError::NoLimit);
    }
    if allocation.is_primary {
        return Err(ReleaseError::Primary);
    }
    let mut tx = cx.store().begin().await?;
    // It was made the primary one, or taken away, just now.
    if !tx.release_allocation(server.id, allocation.id).await? {
        return Err(ReleaseError::Primary);
    }
    tx.commit().await?;
    record(cx, access, "server:allocation.delete", allocation);
    Ok(())
}

/// The allocation as it is now.
async fn current(
    cx: &Cx,
    server: &ServerSnapshot,
    id: AllocationId,
) -> Result<Option<Allocation>, StoreError> {
    let server = cx.store().server(server.id).await?;
    Ok(server.and_then(|server| {
        let mut allocations = server.allocations.iter();
        allocations.find(|allocation| allocation.id == id).cloned()
    }))
}

fn record<P>(cx: &Cx, access: &Access<P>, event: &'static str, allocation: &Allocation) {
    Event::new(event)
        .with("allocation", name(allocation))
        .about(Subject::Allocation(allocation.id))
        .on_server(cx, access);
}

/// What a log calls an allocation.
fn name(allocation: &Allocation) -> String {
    format!("{}:{}", allocation.ip, allocation.port)
}
