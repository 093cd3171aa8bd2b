//! What stands before the router: small repairs of the address on the way in, and the forms of
//! "no such route" and "no such method" on the way out (client-api.md §1.1); maintenance, and what
//! pages of others are told.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hatchery_app::{AllowedOrigins, Settings};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use tower::ServiceExt as _;

use super::cors::{self, Cors};
use super::error::ApiError;

/// What the front has to know.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    maintenance: bool,
    allowed_origins: Arc<AllowedOrigins>,
}

impl Front {
    /// The front that the operator chose.
    pub(crate) fn new(settings: &Settings) -> Front {
        Front {
            maintenance: settings.maintenance,
            allowed_origins: Arc::new(settings.allowed_origins.clone()),
        }
    }

    /// Puts the front before a router.
    pub(crate) fn before(self, router: Router) -> Router {
        let routes = router
            .fallback(no_route)
            .method_not_allowed_fallback(wrong_method)
            .layer(tower_http::catch_panic::CatchPanicLayer::custom(panicked));
        Router::new().fallback(front).with_state((self, routes))
    }
}

async fn front(State((front, routes)): State<(Front, Router)>, mut request: Request) -> Response {
    let cors = Cors::of(&request, &front.allowed_origins);
    let mut response = match cors.preflight() {
        Some(response) => response,
        None if front.maintenance && !is_of_node(&request) => {
            ApiError::maintenance().into_response()
        }
        None => {
            drop_trailing_slash(request.uri_mut());
            obey_method_override(&mut request);
            route(routes, request).await
        }
    };
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache, private"));
    cors.tell(headers);
    response
}

/// Nodes go on talking to a panel that is worked on: games must not notice.
fn is_of_node(request: &Request) -> bool {
    request.uri().path().starts_with("/api/remote/")
}

async fn route(routes: Router, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let is_preflight = cors::is_preflight(&request);
    // A router never fails.
    let Ok(mut response) = routes.oneshot(request).await;
    if response.extensions_mut().remove::<WrongMethod>().is_some() {
        response = refuse_method(&method, &path, &response);
        if is_preflight {
            // Nothing is permitted to other origins (client-api.md §1.10).
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
    }
    response
}

/// Marks an answer whose `Allow` header the router is about to fill in.
#[derive(Clone, Copy)]
struct WrongMethod;

async fn wrong_method() -> Response {
    let mut response = StatusCode::METHOD_NOT_ALLOWED.into_response();
    response.extensions_mut().insert(WrongMethod);
    response
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::no_route(uri.path().trim_start_matches('/'))
}

fn refuse_method(method: &Method, path: &str, routed: &Response) -> Response {
    let allow = routed
        .headers()
        .get(header::ALLOW)
        .and_then(|allow| allow.to_str().ok());
    // The router writes the list without blanks.
    let allowed = allow
        .unwrap_or_default()
        .split(',')
        .collect::<Vec<_>>()
        .join(", ");
    if method == Method::OPTIONS {
        let mut response = Response::new(Body::empty());
        if let Ok(allowed) = HeaderValue::from_str(&allowed) {
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        return response;
    }
    ApiError::method_not_allowed(method.as_str(), path.trim_start_matches('/'), &allowed)
        .into_response()
}

fn drop_trailing_slash(uri: &mut Uri) {
    let path = uri.path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() || trimmed.is_empty() {
        return;
    }
    let path_and_query = match uri.query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    if let Ok(repaired) = Uri::from_parts(parts) {
        *uri = repaired;
    }
}

/// A `POST` may say that it means another method.
fn obey_method_override(request: &mut Request) {
    if request.method() != Method::POST {
        return;
    }
    let wanted = request
        .headers()
        .get("x-http-method-override")
        .map(HeaderValue::as_bytes);
    let method = match wanted.map(<[u8]>::to_ascii_uppercase).as_deref() {
        Some(b"GET") => Method::GET,
        Some(b"HEAD") => Method::HEAD,
        Some(b"PUT") => Method::PUT,
        Some(b"PATCH") => Method::PATCH,
        Some(b"DELETE") => Method::DELETE,
        _ => return,
    };
    *request.method_mut() = method;
}

/// A panic in one request ends that request alone.
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    ApiError::internal(&std::io::Error::other(format!("panicked: {text}"))).into_response()
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use http_body_util::BodyExt as _;

    use super::*;

    async fn send(router: Router, method: Method, uri: &str) -> (StatusCode, String) {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = uri.parse().unwrap();
        let Ok(response) = router.oneshot(request).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_panic_ends_one_request_and_tells_nothing() {
        async fn broken() {
            panic!("a secret of ours")
        }
        let router =
            Front::new(&Settings::default()).before(Router::new().route("/broken", get(broken)));
        for _ in 0..2 {
            let (status, body) = send(router.clone(), Method::GET, "/broken/").await;
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
            assert!(
                body.contains("An unexpected error was encountered"),
                "{body}"
            );
            assert!(!body.contains("secret"), "{body}");
        }
    }

    #[tokio::test]
    async fn a_refusal_that_a_route_made_itself_stays_as_it_is() {
        async fn refusing() -> StatusCode {
            StatusCode::METHOD_NOT_ALLOWED
        }
        let router =
            Front::new(&Settings::default()).before(Router::new().route("/x", get(refusing)));
        assert_eq!(
            send(router, Method::GET, "/x").await,
            (StatusCode::METHOD_NOT_ALLOWED, String::new())
        );
    }
}
