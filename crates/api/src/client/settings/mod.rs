//! `/servers/{server}/settings`: one file per route.

mod docker_image;
mod reinstall;
mod rename;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(rename::rename_server))
        .routes(routes!(reinstall::reinstall_server))
        .routes(routes!(docker_image::update_docker_image))
}
