//! `GET /servers/{server}/resources`.

use axum::extract::State;
use hatchery_app::{Cx, resources};
use hatchery_wire::Item;
use hatchery_wire::client::{Stats, StatsResources};

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::server::Server;

/// View resources
///
/// The server's power state and what it uses, at most 20 seconds old.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/resources",
    operation_id = "viewResources",
    tag = "servers",
    params(ServerPath),
    responses((status = 200, body = Item<Stats>), ServerErrors)
)]
pub(crate) async fn view_resources(
    State(cx): State<Cx>,
    Server(access): Server,
) -> Result<Ok200<Item<Stats>>, ApiError> {
    let details = resources::of(&cx, &access)
        .await
        .map_err(|error| ApiError::daemon_timeout(&error))?;
    let used = &details.utilization;
    let stats = Stats {
        current_state: details.state.as_str().to_owned(),
        is_suspended: details.is_suspended,
        resources: StatsResources {
            memory_bytes: used.memory_bytes,
            cpu_absolute: used.cpu_absolute,
            disk_bytes: used.disk_bytes,
            network_rx_bytes: used.network.rx_bytes,
            network_tx_bytes: used.network.tx_bytes,
            uptime: used.uptime,
        },
    };
    Ok(Ok200(stats.into()))
}
