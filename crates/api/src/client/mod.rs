//! `/api/client`: one module per noun.

mod account;
mod activity;
mod documented;
mod files;
mod permissions;
mod servers;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;

/// Every route of the client API. Whether someone may use one is the business of its arguments.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(servers::list::list_servers))
        .routes(routes!(permissions::list_permissions))
        .routes(routes!(account::view_account))
        .routes(routes!(account::activity::list_account_activity))
        .routes(routes!(
            account::api_keys::list_api_keys,
            account::api_keys::create_api_key
        ))
        .routes(routes!(account::api_keys::delete_api_key))
        .routes(routes!(servers::view::view_server))
        .routes(routes!(servers::websocket::open_websocket))
        .routes(routes!(servers::resources::view_resources))
        .routes(routes!(servers::activity::list_server_activity))
        .routes(routes!(servers::command::send_command))
        .routes(routes!(servers::power::send_power_signal))
        .routes(routes!(files::list::list_files))
        .routes(routes!(files::contents::read_file))
        .routes(routes!(files::links::download_file))
        .routes(routes!(files::rename::rename_files))
        .routes(routes!(files::write::write_file))
        .routes(routes!(files::delete::delete_files))
        .routes(routes!(files::create_folder::create_folder))
        .routes(routes!(files::links::upload_files))
}
