//! A server's WebSocket (node-protocol.md §4, client-quirks.md 16 to 22).

mod buckets;
mod origin;
mod seats;
mod session;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

pub(crate) use seats::SocketCount;

use crate::http::{Address, ApiError, Known};
use crate::state::NodeState;
use session::Session;

/// The largest message that a client may send, in bytes (security.md, CVE-2025-69199).
const MAX_MESSAGE: usize = 4096;

/// Opens a WebSocket. Who it is turns out later, by a token inside.
pub(crate) async fn open(
    State(node): State<NodeState>,
    Known(server): Known,
    Address(address): Address,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !origin::is_allowed(&headers, &node.config.allowed_origins) {
        return (StatusCode::FORBIDDEN, "Forbidden").into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Some(seat) = node.sockets.sit(server.uuid(), address) else {
        return ApiError::new(
            StatusCode::BAD_REQUEST,
            "Too many open websocket connections.",
        )
        .into_response();
    };
    upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |socket| Session::new(node, server, address, seat).run(socket))
}
