//! What a browser is told about web pages of others that call the API (client-api.md §1.10).
//!
//! Without the setting nobody is told anything, which permits nothing. A page of an origin that is
//! listed may use cookies; with `*` it may not, whatever the reference does: a page of anybody must
//! not read as its visitor.

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use axum::body::Body;
use hatchery_app::AllowedOrigins;

/// The methods that the API has.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, HEAD");

/// Where pages of others may call.
const AREAS: [&str; 2] = ["/api/client", "/api/application"];

/// What a request is to be told.
#[derive(Debug)]
pub(crate) enum Cors {
    /// Nothing: it is for another part of the panel, or nobody is allowed.
    Silent,
    /// That a page of this origin may read the answer, or that its own may not.
    Told {
        origin: Option<HeaderValue>,
        with_cookies: bool,
        varies: bool,
        preflight: Option<HeaderValue>,
    },
}

impl Cors {
    /// Reads what matters of a request.
    pub(crate) fn of(request: &Request<Body>, allowed: &AllowedOrigins) -> Cors {
        let path = request.uri().path();
        let concerned = AREAS.iter().any(|area| {
            path.strip_prefix(area)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let asking = request.headers().get(header::ORIGIN);
        let (origin, varies) = match allowed {
            _ if !concerned => return Cors::Silent,
            AllowedOrigins::Any => (asking.cloned(), true),
            AllowedOrigins::These(origins) => match origins.as_slice() {
                [] => return Cors::Silent,
                [one] => (HeaderValue::from_str(one).ok(), false),
                several => {
                    let listed = |asking: &&HeaderValue| {
                        several
                            .iter()
                            .any(|origin| origin.as_bytes() == asking.as_bytes())
                    };
                    (asking.filter(listed).cloned(), true)
                }
            },
        };
        Cors::Told {
            origin,
            with_cookies: *allowed != AllowedOrigins::Any,
            varies,
            preflight: is_preflight(request).then(|| {
                let wanted = request
                    .headers()
                    .get(header::ACCESS_CONTROL_REQUEST_HEADERS);
                wanted.cloned().unwrap_or(HeaderValue::from_static(""))
            }),
        }
    }

    /// The answer to a preflight, which reaches no route.
    pub(crate) fn preflight(&self) -> Option<Response<Body>> {
        let Cors::Told {
            preflight: Some(wanted),
            ..
        } = self
        else {
            return None;
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("0"),
        );
        let varying = "Access-Control-Request-Method, Access-Control-Request-Headers";
        headers.append(header::VARY, HeaderValue::from_static(varying));
        Some(response)
    }

    /// Tells it with an answer.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Cors::Told {
            origin,
            with_cookies,
            varies,
            ..
        } = self
        else {
            return;
        };
        if varies {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            if with_cookies {
                let yes = HeaderValue::from_static("true");
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            }
        }
    }
}

/// Whether a browser asks what it may send.
pub(crate) fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}
