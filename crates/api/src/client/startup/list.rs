//! `GET …/startup`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hatchery_app::access::needs;
use hatchery_wire::client::{EggVariable, StartupMeta};
use hatchery_wire::{List, ListWith};

use crate::Api;
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::{Ok200, Written};
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;
use crate::kit::page::arranged;
use crate::kit::server::Server;
use crate::render::startup;

/// List start variables
///
/// The variables that people may see, the start command, and the images to choose from.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/startup",
    operation_id = "listStartup",
    tag = "startup",
    params(ServerPath),
    responses((status = 200, body = ListWith<EggVariable, StartupMeta>), ServerErrors)
)]
pub(crate) async fn list_startup(
    State(api): State<Api>,
    Server(access): Server<needs::StartupRead>,
    query: Query,
    here: Here,
) -> Result<Response, ApiError> {
    let server = &access.server;
    if !query.variables().is_empty() {
        let list: List<EggVariable> = startup::variables(server).collect();
        if let Some(list) = arranged(&list, startup::meta(server), &query, &here) {
            return Ok(Ok200(list).into_response());
        }
    }
    Ok(Written(api.rendered.startup(server)?).into_response())
}
