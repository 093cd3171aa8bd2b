//! `GET /servers/{server}`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hatchery_wire::ItemWith;
use hatchery_wire::client::{Server as ServerResource, ServerMeta};

use super::{INCLUDES, extras};
use crate::Api;
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::{Ok200, Written};
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::query::Includes;
use crate::kit::server::ServerInAnyState;
use crate::render::{self, View};

/// View a server
///
/// Works in every state of the server.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}",
    operation_id = "viewServer",
    tag = "servers",
    params(ServerPath, ("include" = Option<String>, Query, description = "`egg`, `subusers`, or both with a comma.")),
    responses((status = 200, body = ItemWith<ServerResource, ServerMeta>), ServerErrors)
)]
pub(crate) async fn view_server(
    State(api): State<Api>,
    ServerInAnyState(access): ServerInAnyState,
    query: Query,
) -> Result<Response, ApiError> {
    let view = View::of(&access.standing);
    let meta = ServerMeta {
        is_server_owner: access.standing.is_owner,
        user_permissions: access.permission_names(),
    };
    let includes = Includes::read(&query);
    if includes.wants_none_of(&INCLUDES) {
        let item = api.rendered.item(&access.server, view)?;
        return Ok(Written(with_meta(&item, &meta)?).into_response());
    }
    let extras = extras(&api.cx, &access.server, &access.standing, &includes).await?;
    let server = render::resource(&access.server, view, extras);
    Ok(Ok200(ItemWith::new(server, meta)).into_response())
}

/// Puts the meta data before the last brace of an item.
fn with_meta(item: &Bytes, meta: &ServerMeta) -> Result<Bytes, ApiError> {
    const META: &[u8] = br#","meta":"#;
    /// Room for every permission by name.
    const ROOM: usize = 1024;
    let mut body = Vec::with_capacity(item.len() + ROOM);
    body.extend_from_slice(item.strip_suffix(b"}").unwrap_or(item));
    body.extend_from_slice(META);
    serde_json::to_writer(&mut body, meta).map_err(|error| ApiError::internal(&error))?;
    body.push(b'}');
    Ok(body.into())
}
