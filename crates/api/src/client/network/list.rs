//! `GET …/network/allocations`.

use axum::response::Response;
use hatchery_app::access::needs;
use hatchery_wire::List;
use hatchery_wire::client::Allocation;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::input::Query;
use crate::kit::origin::Here;
use crate::kit::page::whole_list;
use crate::kit::server::Server;
use crate::render;

/// List allocations
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/network/allocations",
    operation_id = "listAllocations",
    tag = "network",
    params(ServerPath),
    responses((status = 200, body = List<Allocation>), ServerErrors)
)]
pub(crate) async fn list_allocations(
    Server(access): Server<needs::AllocationRead>,
    query: Query,
    here: Here,
) -> Response {
    let allocations = access.server.allocations.iter();
    whole_list(allocations.map(render::allocation), &query, &here)
}
