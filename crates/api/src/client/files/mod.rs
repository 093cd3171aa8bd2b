//! `/servers/{server}/files`: one file per route.

mod chmod;
mod compress;
mod contents;
mod copy;
mod create_folder;
mod decompress;
mod delete;
mod links;
mod list;
mod pull;
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
        .routes(routes!(copy::copy_file))
        .routes(routes!(compress::compress_files))
        .routes(routes!(decompress::decompress_file))
        .routes(routes!(chmod::chmod_files))
        .routes(routes!(pull::pull_file))
        .routes(routes!(links::upload_files))
}
