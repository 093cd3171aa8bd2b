//! `…/schedules/{schedule}/tasks`: one file per route.

mod create;
mod delete;
mod form;
mod update;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create::create_task))
        .routes(routes!(update::update_task, delete::delete_task))
}
