//! A node that answers as it is told and remembers what it was asked.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use hatchery_node_proto::{NodeIoError, NodeService};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::service_fn;
use tower::util::BoxCloneSyncService;

/// The `X-Request-Id` of every answer.
const REQUEST_ID: &str = "00000000-0000-4000-8000-00000000beef";

/// A request that the node was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCall {
    /// Method and address.
    pub line: String,
    /// The body.
    pub body: Bytes,
}

impl fmt::Display for NodeCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.line, String::from_utf8_lossy(&self.body))
    }
}

/// A scripted node. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct FakeNode(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: Vec<NodeCall>,
    answers: VecDeque<(StatusCode, Bytes)>,
    unreachable: bool,
}

impl FakeNode {
    /// Answers the next request so, instead of as a healthy node would.
    pub fn answer_next(&self, status: u16, body: &Value) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.0
            .lock()
            .answers
            .push_back((status, body.to_string().into()));
    }

    /// Answers nothing any more, or does again.
    pub fn set_unreachable(&self, unreachable: bool) {
        self.0.lock().unreachable = unreachable;
    }

    /// What it was asked since the last call.
    pub fn take_calls(&self) -> Vec<NodeCall> {
        std::mem::take(&mut self.0.lock().calls)
    }

    /// The way to it.
    pub fn service(&self) -> NodeService {
        let node = self.clone();
        BoxCloneSyncService::new(service_fn(move |request| {
            let node = node.clone();
            async move { node.serve(request).await }
        }))
    }

    async fn serve(&self, request: Request<Body>) -> Result<Response<Body>, NodeIoError> {
        let (parts, body) = request.into_parts();
        let broken = |error: axum::Error| NodeIoError::Unreachable(error.to_string());
        let body = body.collect().await.map_err(broken)?.to_bytes();
        let mut state = self.0.lock();
        state.calls.push(NodeCall {
            line: format!("{} {}", parts.method, parts.uri),
            body,
        });
        if state.unreachable {
            return Err(NodeIoError::Unreachable("the test says so".to_owned()));
        }
        let (status, body) = state
            .answers
            .pop_front()
            .unwrap_or_else(|| healthy(parts.uri.path()));
        let mut response = Response::new(Body::from(body.clone()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert("x-request-id", http::HeaderValue::from_static(REQUEST_ID));
        headers.insert(
            http::header::CONTENT_LENGTH,
            http::HeaderValue::from(body.len()),
        );
        Ok(response)
    }
}

/// What a healthy node says.
fn healthy(path: &str) -> (StatusCode, Bytes) {
    let file = |name: &str, mode: &str, size: i64| {
        json!({
            "name": name, "created": "2025-12-31T23:00:00.123456-01:00",
            "modified": "2026-01-01T00:00:00Z", "mode": mode, "mode_bits": "644", "size": size,
            "directory": mode.starts_with('d'), "file": !mode.starts_with('d'), "symlink": false,
            "mime": if mode.starts_with('d') { "inode/directory" } else { "text/plain; charset=utf-8" },
        })
    };
    let ok = |body: Value| (StatusCode::OK, Bytes::from(body.to_string()));
    if path.ends_with("/files/list-directory") {
        ok(json!([
            file("logs", "drwxr-xr-x", 4096),
            file("eula.txt", "-rw-r--r--", 180)
        ]))
    } else if path.ends_with("/files/compress") {
        ok(file(
            "archive-2026-01-01T000000Z.tar.gz",
            "-rw-r--r--",
            2048,
        ))
    } else if path.ends_with("/files/contents") {
        (StatusCode::OK, Bytes::from_static(b"eula=true\n"))
    } else if path.ends_with("/power") {
        (StatusCode::ACCEPTED, Bytes::new())
    } else if path.matches('/').count() == 3 {
        ok(json!({
            "state": "running", "is_suspended": false,
            "utilization": {
                "memory_bytes": 588_701_696, "memory_limit_bytes": 1_073_741_824, "cpu_absolute": 12.345,
                "network": {"rx_bytes": 694_220, "tx_bytes": 337_090}, "uptime": 171_000,
                "state": "running", "disk_bytes": 130_156_361,
            },
        }))
    } else {
        (StatusCode::NO_CONTENT, Bytes::new())
    }
}
