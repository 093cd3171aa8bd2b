//! `/servers/{server}`: one file per route.

pub(super) mod activity;
pub(super) mod command;
pub(super) mod list;
pub(super) mod power;
pub(super) mod resources;
pub(super) mod view;
pub(super) mod websocket;

use hatchery_app::Cx;
use hatchery_app::access::Standing;
use hatchery_store::ServerSnapshot;
use hatchery_vocab::Permission;
use hatchery_wire::Included;

use crate::kit::error::ApiError;
use crate::kit::query::Includes;
use crate::render::{self, Extras};

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
