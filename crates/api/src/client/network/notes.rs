//! `POST …/network/allocations/{allocation}`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, allocations};
use hatchery_rules::Fields;
use hatchery_wire::Item;
use hatchery_wire::client::Allocation;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AllocationPath, OwnAllocation};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::ServerWith;
use crate::render;

/// What to note down of an allocation.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct UpdateAllocation {
    /// The notes. They may be null, but must be there.
    #[schema(required, max_length = 256)]
    notes: Option<String>,
}

static UPDATE: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("notes", "nullable|string|max:256|present"));

/// Change an allocation's notes
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/network/allocations/{allocation}",
    operation_id = "updateAllocation",
    tag = "network",
    params(ServerPath, AllocationPath),
    request_body = UpdateAllocation,
    responses((status = 200, body = Item<Allocation>), ServerErrors)
)]
pub(crate) async fn update_allocation(
    State(cx): State<Cx>,
    ServerWith(access, OwnAllocation(allocation)): ServerWith<
        OwnAllocation,
        needs::AllocationUpdate,
    >,
    input: Input,
) -> Result<Ok200<Item<Allocation>>, ApiError> {
    input.check(&UPDATE)?;
    let changed = allocations::set_notes(&cx, &access, &allocation, input.text("notes")).await?;
    let changed = changed.ok_or_else(ApiError::not_found)?;
    Ok(Ok200(render::allocation(&changed).into()))
}
