//! `POST …/network/allocations/{allocation}/primary`.

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, allocations};
use hatchery_wire::Item;
use hatchery_wire::client::Allocation;

use super::{AllocationPath, OwnAllocation};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;
use crate::render;

/// Make an allocation the primary one
///
/// It counts from the next start of the server.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/network/allocations/{allocation}/primary",
    operation_id = "setPrimaryAllocation",
    tag = "network",
    params(ServerPath, AllocationPath),
    responses((status = 200, body = Item<Allocation>), ServerErrors)
)]
pub(crate) async fn set_primary_allocation(
    State(cx): State<Cx>,
    ServerWith(access, OwnAllocation(allocation)): ServerWith<
        OwnAllocation,
        needs::AllocationUpdate,
    >,
) -> Result<Ok200<Item<Allocation>>, ApiError> {
    let changed = allocations::set_primary(&cx, &access, &allocation).await?;
    let changed = changed.ok_or_else(ApiError::not_found)?;
    Ok(Ok200(render::allocation(&changed).into()))
}
