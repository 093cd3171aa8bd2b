//! `POST …/network/allocations`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::allocations::{self, AssignError};
use hatchery_wire::Item;
use hatchery_wire::client::Allocation;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::server::Server;
use crate::render;

/// Add an allocation
///
/// A free one with the address of the primary one is given to the server, as far as its limit
/// allows.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/network/allocations",
    operation_id = "assignAllocation",
    tag = "network",
    params(ServerPath),
    responses((status = 200, body = Item<Allocation>), ServerErrors)
)]
pub(crate) async fn assign_allocation(
    State(cx): State<Cx>,
    Server(access): Server<needs::AllocationCreate>,
) -> Result<Ok200<Item<Allocation>>, ApiError> {
    let allocation = allocations::assign(&cx, &access).await?;
    Ok(Ok200(render::allocation(&allocation).into()))
}

impl From<AssignError> for ApiError {
    fn from(error: AssignError) -> Self {
        match error {
            AssignError::LimitReached => Self::display(
                "DisplayException",
                "Cannot assign additional allocations to this server: limit has been reached.",
            ),
            AssignError::Disabled => Self::display(
                "AutoAllocationNotEnabledException",
                "Server auto-allocation is not enabled for this instance.",
            ),
            AssignError::NoSpace => Self::display(
                "NoAutoAllocationSpaceAvailableException",
                "Cannot assign additional allocation: no more space available on node.",
            ),
            AssignError::OutOfRange => Self::display(
                "PortOutOfRangeException",
                "Ports in an allocation must be greater than 1024 and less than or equal to 65535.",
            ),
            AssignError::Store(error) => error.into(),
        }
    }
}
