//! The few routes that belong to the program itself rather than to the API: is it alive, how is it
//! doing, how is it set up, what can be called.

mod account;
mod documents;
mod html;
mod metrics;
mod password;
mod probes;
mod setup;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hatchery_app::Cx;
use hatchery_config::MetricsAccess;
use hatchery_node::Node;

pub(crate) use metrics::HttpMetrics;

/// What the pages work with. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Web(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    cx: Cx,
    node: Arc<Node>,
    metrics: HttpMetrics,
    metrics_access: MetricsAccess,
}

impl Web {
    /// Puts the parts together.
    pub(crate) fn new(
        cx: Cx,
        node: Arc<Node>,
        metrics: HttpMetrics,
        metrics_access: MetricsAccess,
    ) -> Self {
        Self(Arc::new(Inner {
            cx,
            node,
            metrics,
            metrics_access,
        }))
    }

    fn cx(&self) -> &Cx {
        &self.0.cx
    }

    /// The routes, without a fallback.
    pub(crate) fn routes(self) -> Router {
        Router::new()
            .merge(account::routes())
            .merge(documents::routes())
            .merge(metrics::routes())
            .merge(password::routes())
            .merge(probes::routes())
            .merge(setup::routes())
            .with_state(self)
    }
}

impl FromRef<Web> for Cx {
    fn from_ref(web: &Web) -> Self {
        web.cx().clone()
    }
}

/// The longest form that is read, in bytes.
const MAX_FORM: usize = 16 * 1024;

/// Something failed that is not the visitor's doing.
fn unavailable(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "a page could not be made");
    let sentence = "Hatchery could not do this just now. Its log says why.";
    page(500, html::message("Something went wrong", sentence, None))
}

/// A page for people. Nothing on it can run a script or come from elsewhere.
fn page(status: u16, body: String) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
                          frame-ancestors 'none'";
    let headers: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = body.into_response();
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
