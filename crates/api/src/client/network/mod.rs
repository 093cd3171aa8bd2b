//! `/servers/{server}/network`: one file per route.

mod assign;
mod delete;
mod list;
mod notes;
mod primary;

use hatchery_app::Cx;
use hatchery_store::{Allocation, ServerSnapshot};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;
use crate::kit::actor::Segments;
use crate::kit::error::ApiError;
use crate::kit::server::Child;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list::list_allocations, assign::assign_allocation))
        .routes(routes!(notes::update_allocation, delete::delete_allocation))
        .routes(routes!(primary::set_primary_allocation))
}

/// The allocation of the server that an address names.
#[derive(Debug)]
pub(crate) struct OwnAllocation(Allocation);

impl Child for OwnAllocation {
    async fn find(_: &Cx, server: &ServerSnapshot, segments: &Segments) -> Result<Self, ApiError> {
        let id: Option<i64> = segments.get("allocation").and_then(|id| id.parse().ok());
        let mut allocations = server.allocations.iter();
        allocations
            .find(|allocation| Some(allocation.id.get()) == id)
            .map(|allocation| Self(allocation.clone()))
            .ok_or_else(ApiError::not_found)
    }
}

/// The allocation of a route.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) struct AllocationPath {
    /// The allocation's number.
    allocation: i64,
}
