//! Sending one small request and reading its small answer.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::BucketError;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take: putting the parts of a large object together is slow.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How long a connection is kept open without being used.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer that is read, in bytes: a list of a thousand parts fits.
const MAX_ANSWER: usize = 1024 * 1024;
/// How much of a refusal is told, in characters.
const TOLD: usize = 200;

/// Connections to the service.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl HttpClient {
    pub(crate) fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        // The connector above it decides by the scheme.
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Self(client)
    }

    /// The text of a successful answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        address: &str,
        content_type: Option<&'static str>,
        body: String,
    ) -> Result<String, BucketError> {
        let mut request = Request::builder().method(method).uri(address);
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| BucketError::Config(error.to_string()))?;
        match tokio::time::timeout(TIMEOUT, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(BucketError::Unreachable(
                "it did not answer in time".to_owned(),
            )),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<String, BucketError> {
        let answer = self
            .0
            .request(request)
            .await
            .map_err(|error| BucketError::Unreachable(causes(&error)))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| BucketError::Unreachable(format!("its answer broke off: {error}")))?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        if status.is_success() {
            Ok(text)
        } else {
            Err(BucketError::Refused {
                status,
                reason: beginning(&text),
            })
        }
    }
}

/// The beginning of a text, for a line of the log.
pub(crate) fn beginning(text: &str) -> String {
    text.chars().take(TOLD).collect()
}

/// What went wrong with all its reasons.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
