//! `DELETE …/network/allocations/{allocation}`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::allocations::{self, ReleaseError};

use super::{AllocationPath, OwnAllocation};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;

/// Remove an allocation
///
/// The primary one stays.
#[utoipa::path(
    delete,
    path = "/api/client/servers/{server}/network/allocations/{allocation}",
    operation_id = "deleteAllocation",
    tag = "network",
    params(ServerPath, AllocationPath),
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn delete_allocation(
    State(cx): State<Cx>,
    ServerWith(access, OwnAllocation(allocation)): ServerWith<
        OwnAllocation,
        needs::AllocationDelete,
    >,
) -> Result<NoContent, ApiError> {
    allocations::release(&cx, &access, &allocation).await?;
    Ok(NoContent)
}

impl From<ReleaseError> for ApiError {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::NoLimit => Self::display(
                "DisplayException",
                "You cannot delete allocations for this server: no allocation limit is set.",
            ),
            ReleaseError::Primary => Self::display(
                "DisplayException",
                "You cannot delete the primary allocation for this server.",
            ),
            ReleaseError::Store(error) => error.into(),
        }
    }
}
