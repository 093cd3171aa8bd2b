//! Is it alive, can it work, and what is at the front door.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::json;

use super::{Web, html, page};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/", get(front_door))
        .route("/health", get(health))
        .route("/ready", get(ready))
}

/// The process answers: that is all that a supervisor needs to know before it restarts something.
async fn health() -> Response {
    json_answer(
        StatusCode::OK,
        &json!({ "status": "alive", "version": env!("CARGO_PKG_VERSION") }),
    )
}

/// Everything that a request needs answers, too.
async fn ready(State(web): State<Web>) -> Response {
    let database = web.cx().store().ping().await;
    if let Err(error) = &database {
        tracing::warn!(%error, "the database does not answer");
    }
    let node = web.0.node.is_booted();
    let ready = database.is_ok() && node;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json_answer(
        status,
        &json!({ "ready": ready, "database": database.is_ok(), "node": node }),
    )
}

async fn front_door(State(web): State<Web>) -> Response {
    match web.cx().store().count_users().await {
        Ok(0) => {
            let sentence = "This panel has no administrator yet. Open the set-up link that `hatchery serve` printed.";
            page(200, html::message("Almost there", sentence, None))
        }
        Ok(_) => Redirect::to("/account/api").into_response(),
        Err(error) => super::unavailable(&error),
    }
}

fn json_answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let content_type = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let cache = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (status, [content_type, cache], body.to_string()).into_response()
}
