//! `/servers/{server}/files`: one file per route.

mod contents;
mod create_folder;
mod delete;
mod links;
mod list;
mod rename;
mod write;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list::list_files))
        .routes(routes!(contents::read_file))
        .routes(routes!(links::download_file))
        .routes(routes!(rename::rename_files))
        .routes(routes!(write::write_file))
        .routes(routes!(delete::delete_files))
        .routes(routes!(create_folder::create_folder))
        .routes(routes!(links::upload_files))
}
