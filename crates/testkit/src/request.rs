//! Requests and answers of tests.

use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// A request to be sent.
#[derive(Debug)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    router: Router,
    request: Request<Body>,
}

/// Headers that every answer has and no test is about, unless it asks for them by name.
const USUAL: [&str; 4] = [
    "content-length",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

impl Call {
    pub(crate) fn new(router: Router, method: &str, path: &str) -> Self {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method.parse().unwrap_or(Method::GET);
        *request.uri_mut() = path.parse().unwrap_or_default();
        Self { router, request }
            .header("host", "panel.test")
            .header("accept", "application/json")
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            self.request.headers_mut().insert(name, value);
        }
        self
    }

    /// With a key.
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// With something that the server would have found out by itself.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.request.extensions_mut().insert(value);
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    /// With any body.
    pub fn raw(mut self, content_type: &str, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self.header(header::CONTENT_TYPE.as_str(), content_type)
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Answer {
        // A router never fails.
        let Ok(response) = self.router.oneshot(self.request).await;
        let (parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.to_vec(),
        }
    }
}

/// An answer. It prints as status, headers and body, for snapshots.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's text; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The errors as `status code: detail` lines, with the field and rule of validation errors.
    pub fn errors(&self) -> String {
        let body = self.json();
        let mut text = String::new();
        for error in body["errors"].as_array().into_iter().flatten() {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "{} {}: {}",
                self.status.as_u16(),
                word(&error["code"]),
                word(&error["detail"])
            );
            if let Some(meta) = error["meta"].as_object() {
                let _ = write!(
                    text,
                    " [{} {}]",
                    word(&meta["source_field"]),
                    word(&meta["rule"])
                );
            }
            text.push('\n');
        }
        if text.is_empty() {
            self.status.as_u16().to_string()
        } else {
            text.trim_end().to_owned()
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            if !USUAL.contains(&name.as_str()) {
                writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
            }
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(json) => write!(f, "\n{json:#}"),
            Err(_) if self.body.is_empty() => Ok(()),
            Err(_) => write!(f, "\n{}", self.text()),
        }
    }
}
