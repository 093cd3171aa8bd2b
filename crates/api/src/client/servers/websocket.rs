//! `GET /servers/{server}/websocket`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::console::{self, SocketError};
use hatchery_wire::Data;
use hatchery_wire::client::WebsocketCredentials;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::origin::Here;
use crate::kit::server::ServerInAnyState;

/// Open the console
///
/// The address of the server's WebSocket, and the token to send on it first.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/websocket",
    operation_id = "openWebsocket",
    tag = "servers",
    params(ServerPath),
    responses((status = 200, body = Data<WebsocketCredentials>), ServerErrors)
)]
pub(crate) async fn open_websocket(
    State(cx): State<Cx>,
    ServerInAnyState(access): ServerInAnyState,
    here: Here,
) -> Result<Ok200<Data<WebsocketCredentials>>, ApiError> {
    let socket = console::open_socket(&cx, &access, here.panel(&cx))?;
    let data = WebsocketCredentials {
        token: socket.token,
        socket: socket.address,
    };
    Ok(Ok200(Data { data }))
}

impl From<SocketError> for ApiError {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Conflict(conflict) => conflict.into(),
            SocketError::Forbidden => {
                Self::forbidden("You do not have permission to connect to this server's websocket.")
            }
            SocketError::Node(error) => Self::daemon(&error),
        }
    }
}
