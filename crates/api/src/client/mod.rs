//! `/api/client`: one module per noun.

mod account;
mod activity;
mod backups;
mod databases;
mod documented;
mod files;
mod network;
mod permissions;
mod schedules;
mod servers;
mod settings;
mod startup;
mod users;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;

/// Every route of the client API. Whether someone may use one is the business of its arguments.
pub(crate) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(permissions::list_permissions))
        .merge(account::router())
        .merge(servers::router())
        .merge(databases::router())
        .merge(files::router())
        .merge(schedules::router())
        .merge(network::router())
        .merge(users::router())
        .merge(backups::router())
        .merge(startup::router())
        .merge(settings::router())
}
