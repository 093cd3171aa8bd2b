//! A thin client of the engine's HTTP API over its Unix socket.
//!
//! It knows requests, answers and the hijacked connection of a terminal, but not what is asked for.
//! A client of our own, since the usual one gathers a terminal's output until a line ends and takes
//! control bytes for frame headers; the dozen calls that are needed are a small part of it anyway.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, UPGRADE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::RuntimeError;

/// How long an ordinary call may take. Stopping a container can take the engine several seconds,
/// and a busy disk more.
const CALL: Duration = Duration::from_mins(1);

/// The longest answer that is read into memory. A container's description takes a few kilobytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The API version that this client was written for; older and newer engines are met half-way.
const VERSION: ApiVersion = ApiVersion(1, 41);

/// The bytes of an upgraded connection, both ways.
pub(super) type Terminal = TokioIo<hyper::upgrade::Upgraded>;

/// The engine at a socket. Every call has a connection of its own: connecting to a local socket
/// costs less than keeping a pool.
#[derive(Debug)]
pub(super) struct Engine {
    socket: PathBuf,
    version: ApiVersion,
}

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    #[error("the container engine cannot be reached at {socket}: {reason}")]
    Unreachable { socket: String, reason: String },
    #[error("{message}")]
    Refused { status: StatusCode, message: String },
    #[error("the container engine answered something unexpected: {0}")]
    Malformed(String),
    #[error("the container engine did not answer in time")]
    TimedOut,
}

impl EngineError {
    pub(super) fn is_not_found(&self) -> bool {
        self.has_status(StatusCode::NOT_FOUND)
    }

    pub(super) fn has_status(&self, wanted: StatusCode) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }

    /// The runtime's error for a step.
    pub(super) fn during(self, action: &'static str) -> RuntimeError {
        RuntimeError::Failed {
            action,
            reason: self.to_string(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ApiVersion(u32, u32);

impl ApiVersion {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Complaint {
    message: String,
}

/// A request without a body.
pub(super) const NOTHING: Option<&Value> = None;

impl Engine {
    /// Reaches the engine and agrees on a version.
    pub(super) async fn connect(socket: PathBuf) -> Result<Self, EngineError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Version {
            api_version: String,
            #[serde(rename = "MinAPIVersion", default)]
            min_api_version: String,
        }
        let mut engine = Self {
            socket,
            version: VERSION,
        };
        let answer = engine.send("/version", request(Method::GET, "/version", Bytes::new())?);
        let known: Version = parse(within(CALL, answer).await?).await?;
        let newest = ApiVersion::parse(&known.api_version)
            .ok_or_else(|| EngineError::Malformed(format!("version {}", known.api_version)))?;
        engine.version = VERSION
            .min(newest)
            .max(ApiVersion::parse(&known.min_api_version).unwrap_or(VERSION.min(newest)));
        Ok(engine)
    }

    /// Asks and reads the whole answer as JSON.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, EngineError> {
        within(CALL, async {
            parse(self.open(method, path, json(body), &[]).await?).await
        })
        .await
    }

    /// Tells, and cares only whether it was done.
    pub(super) async fn tell(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), EngineError> {
        within(CALL, self.open(method, path, json(body), &[]))
            .await
            .map(drop)
    }

    /// Sends a request with a body of its own kind.
    pub(super) async fn put(
        &self,
        path: &str,
        kind: &'static str,
        body: Bytes,
    ) -> Result<(), EngineError> {
        let kind = (CONTENT_TYPE, HeaderValue::from_static(kind));
        within(CALL, self.open(Method::PUT, path, body, &[kind]))
            .await
            .map(drop)
    }

    /// Sends a request whose answer is a stream, or takes as long as it takes.
    pub(super) async fn stream(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Incoming, EngineError> {
        Ok(self
            .open(method, path, Bytes::new(), headers)
            .await?
            .into_body())
    }

    /// Takes over the connection of a request: afterwards it carries a container's terminal.
    pub(super) async fn hijack(&self, path: &str) -> Result<Terminal, EngineError> {
        let headers = [
            (CONNECTION, HeaderValue::from_static("Upgrade")),
            (UPGRADE, HeaderValue::from_static("tcp")),
        ];
        within(CALL, async {
            let answer = self
                .open(Method::POST, path, Bytes::new(), &headers)
                .await?;
            let upgraded = hyper::upgrade::on(answer)
                .await
                .map_err(|error| EngineError::Malformed(error.to_string()))?;
            Ok(TokioIo::new(upgraded))
        })
        .await
    }

    async fn open(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Response<Incoming>, EngineError> {
        let ApiVersion(major, minor) = self.version;
        let mut request = request(method, &format!("/v{major}.{minor}{path}"), body)?;
        request.headers_mut().extend(
            headers
                .iter()
                .cloned()
                .map(|(name, value)| (Some(name), value)),
        );
        let answer = self.send(path, request).await?;
        let status = answer.status();
        if status.is_success()
            || status == StatusCode::SWITCHING_PROTOCOLS
            || status == StatusCode::NOT_MODIFIED
        {
            return Ok(answer);
        }
        let message = match parse::<Complaint>(answer).await {
            Ok(complaint) => complaint.message,
            Err(_) => status.to_string(),
        };
        Err(EngineError::Refused { status, message })
    }

    async fn send(
        &self,
        path: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, EngineError> {
        let unreachable = |error: &dyn std::fmt::Display| EngineError::Unreachable {
            socket: self.socket.display().to_string(),
            reason: error.to_string(),
        };
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| unreachable(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(&error))?;
        let path = path.to_owned();
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(path, %error, "a connection to the container engine broke");
            }
        });
        sender
            .send_request(request)
            .await
            .map_err(|error| unreachable(&error))
    }
}

fn request(method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, EngineError> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = path
        .parse()
        .map_err(|error| EngineError::Malformed(format!("{path}: {error}")))?;
    request
        .headers_mut()
        .insert(HOST, HeaderValue::from_static("localhost"));
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(request)
}

/// A part of a path or query, encoded.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn json(body: Option<&Value>) -> Bytes {
    body.map_or_else(Bytes::new, |body| body.to_string().into())
}

async fn parse<T: DeserializeOwned>(answer: Response<Incoming>) -> Result<T, EngineError> {
    let malformed = |error: &dyn std::fmt::Display| EngineError::Malformed(error.to_string());
    let body = Limited::new(answer.into_body(), MAX_ANSWER)
        .collect()
        .await
        .map_err(|error| malformed(&error))?
        .to_bytes();
    serde_json::from_slice(&body).map_err(|error| malformed(&error))
}

async fn within<T>(
    time: Duration,
    call: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    tokio::time::timeout(time, call)
        .await
        .unwrap_or(Err(EngineError::TimedOut))
}

impl From<EngineError> for io::Error {
    fn from(error: EngineError) -> Self {
        Self::other(error)
    }
}
