//! `/servers/{server}/startup`: one file per route.

mod list;
mod update_variable;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list::list_startup))
        .routes(routes!(update_variable::update_variable))
}
