//! `/servers/{server}`: one file per route.

mod activity;
mod command;
mod list;
mod power;
mod resources;
mod view;
mod websocket;

use hatchery_app::Cx;
use hatchery_app::access::Standing;
use hatchery_store::ServerSnapshot;
use hatchery_vocab::Permission;
use hatchery_wire::Included;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;
use crate::kit::error::ApiError;
use crate::kit::query::Includes;
use crate::render::{self, Extras};

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list::list_servers))
        .routes(routes!(view::view_server))
        .routes(routes!(websocket::open_websocket))
        .routes(routes!(resources::view_resources))
        .routes(routes!(activity::list_server_activity))
        .routes(routes!(command::send_command))
        .routes(routes!(power::send_power_signal))
}

/// What `include` can add to a server.
const INCLUDES: [&str; 2] = ["egg", "subusers"];

/// Gathers what a request wants included, as far as its sender may see it.
async fn extras(
    cx: &Cx,
    server: &ServerSnapshot,
    standing: &Standing,
    includes: &Includes,
) -> Result<Extras, ApiError> {
    let subusers = if !includes.wants("subusers") {
        None
    } else if standing.allows(Permission::UserRead) {
        let subusers = hatchery_app::servers::subusers(cx, server.id).await?;
        Some(Included::Shown(
            subusers.into_iter().map(render::subuser).collect(),
        ))
    } else {
        Some(Included::HIDDEN)
    };
    Ok(Extras {
        egg: includes.wants("egg"),
        subusers,
    })
}
