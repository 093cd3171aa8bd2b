//! `/api/remote`: what nodes ask of the panel and report to it (node-protocol.md §2).
//!
//! These routes know nodes and nothing of people. Each takes the calling node as proof
//! ([`Caller`](caller::Caller)), and the verbs behind it reach only that node's servers.

mod activity;
mod backups;
mod caller;
mod install;
mod servers;

use axum::Router;
use axum::routing::{get, post};

use crate::Api;

/// The routes.
pub(crate) fn router() -> Router<Api> {
    Router::new()
        .route("/api/remote/servers", get(servers::list))
        .route("/api/remote/servers/reset", post(servers::reset))
        .route("/api/remote/servers/{server}", get(servers::view))
        .route(
            "/api/remote/servers/{server}/install",
            get(install::script).post(install::report),
        )
        .route(
            "/api/remote/backups/{backup}",
            get(backups::upload_addresses).post(backups::report),
        )
        .route(
            "/api/remote/backups/{backup}/restore",
            post(backups::report_restore),
        )
        .route("/api/remote/activity", post(activity::record))
}
