//! The routes of the panel, all behind the bearer (node-protocol.md §3.2 to §3.5).

mod servers;
mod system;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::state::NodeState;
use crate::{backups, files, http};

/// Everything that the panel may call.
pub(crate) fn protocol(node: NodeState) -> Router {
    Router::new()
        .route("/api/system", get(system::show))
        .route("/api/servers", get(servers::list).post(servers::create))
        .route("/api/deauthorize-user", post(servers::deauthorize_user))
        .route(
            "/api/servers/{server}",
            get(servers::show).delete(servers::delete),
        )
        .route("/api/servers/{server}/logs", get(servers::logs))
        .route(
            "/api/servers/{server}/install-logs",
            get(servers::install_logs),
        )
        .route("/api/servers/{server}/power", post(servers::power))
        .route("/api/servers/{server}/commands", post(servers::commands))
        .route("/api/servers/{server}/install", post(servers::install))
        .route("/api/servers/{server}/reinstall", post(servers::reinstall))
        .route("/api/servers/{server}/sync", post(servers::sync))
        .route("/api/servers/{server}/ws/deny", post(servers::deny))
        .nest("/api/servers/{server}/files", files::routes())
        .nest("/api/servers/{server}/backup", backups::routes())
        .fallback(|| async { (StatusCode::NOT_FOUND, "404 page not found") })
        .layer(from_fn_with_state(node.clone(), http::require_bearer))
        .layer(from_fn_with_state(node.clone(), http::finish))
        .layer(CatchPanicLayer::custom(
            |_: Box<dyn std::any::Any + Send>| {
                let mut response = Response::new(axum::body::Body::empty());
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            },
        ))
        .with_state(node)
}

/// What a browser opens: the WebSocket and links with a signed token.
pub(crate) fn public(node: NodeState) -> Router {
    Router::new()
        .route("/api/servers/{server}/ws", get(crate::ws::open))
        .merge(files::links())
        .merge(backups::links())
        .route_layer(from_fn_with_state(node.clone(), http::finish))
        .with_state(node)
}
