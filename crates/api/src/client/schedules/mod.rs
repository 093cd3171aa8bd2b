//! `/servers/{server}/schedules` and their tasks: one file per route.

mod child;
mod create;
mod delete;
mod execute;
mod form;
mod list;
mod shown;
mod tasks;
mod update;
mod view;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list::list_schedules, create::create_schedule))
        .routes(routes!(
            view::view_schedule,
            update::update_schedule,
            delete::delete_schedule
        ))
        .routes(routes!(execute::execute_schedule))
        .merge(tasks::router())
}
