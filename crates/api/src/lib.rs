//! The HTTP face of Hatchery: routes, extractors, errors, rate limits and the OpenAPI document.
//!
//! A request passes three places: the front (small repairs of the address, "no such route"), the
//! gate (who asks, how often), and the route, whose arguments prove the rest ([`kit`]). A handler is
//! a translation: it calls one verb of `hatchery-app` and says the result in the types of
//! `hatchery-wire`. Nothing here touches the database.
//!
//! **A new route** is a file in `client/<noun>/`, one line in the `router` beside it, a row in
//! `tests/it/access/` (a test fails without it), and tests in the file that mirrors its address.
//! `HATCHERY_UPDATE=1 cargo test -p hatchery-api openapi` rewrites the committed document.

mod auth;
mod client;
pub mod kit;
pub mod openapi;
mod remote;
mod render;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::FromRef;
use hatchery_app::Cx;
use hatchery_vocab::UserId;

use kit::front::Front;
use kit::rate_limit::RateLimiter;
use render::{RenderedPages, RenderedServers};

pub use kit::session::cookies as session_cookies;

/// The period of the rate limit.
const MINUTE: Duration = Duration::from_mins(1);

/// How many files a user may have fetched in [`PULLS_PERIOD`] (client-api.md §1.9).
const PULLS: u32 = 10;

/// The period of [`PULLS`].
const PULLS_PERIOD: Duration = Duration::from_mins(5);

/// What every handler can reach.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) cx: Cx,
    pub(crate) limiter: Option<Arc<RateLimiter>>,
    /// Counts the files that someone has a node fetch, besides.
    pub(crate) pulls: Option<Arc<RateLimiter<UserId>>>,
    pub(crate) rendered: Arc<RenderedServers>,
    pub(crate) pages: Arc<RenderedPages>,
}

impl FromRef<Api> for Cx {
    fn from_ref(api: &Api) -> Self {
        api.cx.clone()
    }
}

/// The whole interface. It answers every path through its fallback, unknown ones with an error of
/// the wire, so merge it with routers that have no fallback of their own. Serve it with connection
/// information (`into_make_service_with_connect_info::<SocketAddr>()`): without it every client
/// seems to sit on this machine.
pub fn router(cx: Cx) -> Router {
    let per_minute = cx.settings().requests_per_minute;
    let api = Api {
        limiter: (per_minute > 0).then(|| Arc::new(RateLimiter::new(per_minute, MINUTE))),
        pulls: (per_minute > 0).then(|| Arc::new(RateLimiter::new(PULLS, PULLS_PERIOD))),
        rendered: Arc::default(),
        pages: Arc::default(),
        cx,
    };
    let gate = axum::middleware::from_fn_with_state(api.clone(), kit::gate::gate);
    let client = client::router().split_for_parts().0.route_layer(gate);
    let front = Front::new(api.cx.settings());
    let routes = client
        .merge(auth::router(api.clone()))
        .merge(remote::router())
        .with_state(api);
    front.before(routes)
}
