//! Fetching a file from the internet into a server's folder.
//!
//! What may be reached is decided in [`crate::outbound`], anew for every redirect.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, LOCATION};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use futures_util::StreamExt as _;
use hatchery_node_proto::{Pull as Request, PullStarted, Pulls as Listed};
use hatchery_serverfs::{Entry, FsError, RelPath};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::pulls::{MAX_PULLS, Pull};
use super::read::wire;
use super::sink::Sink;
use super::{blocking, disposition, write_error};
use crate::http::{ApiError, ApiResult, JsonBody, Known, Payload};
use crate::outbound::OutboundError;
use crate::server::Server;
use crate::state::NodeState;

/// How often one may be sent on to another address.
const MAX_REDIRECTS: usize = 5;

/// How long a pull may take (node-protocol.md §3.6).
const MAX_DURATION: Duration = Duration::from_hours(12);

/// How long the other side may be silent in the middle of a file.
const SILENCE: Duration = Duration::from_mins(1);

/// The largest file in bytes, for servers whose disk has no limit.
const MAX_SIZE: u64 = 64 * 1024 * 1024 * 1024;

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
enum PullError {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("the other side sent {MAX_REDIRECTS} redirects and no file")]
    Redirects,
    #[error("the other side answered {0}")]
    Status(StatusCode),
    #[error("neither the address nor the request names the file")]
    Nameless,
    #[error("the file broke off")]
    BrokeOff,
    #[error("the file is larger than {MAX_SIZE} bytes")]
    TooLarge,
    #[error("the other side was silent for too long")]
    Silent,
    #[error("it was cancelled")]
    Cancelled,
    #[error("this file cannot be modified: present in egg denylist")]
    Denied,
    #[error(transparent)]
    Files(#[from] FsError),
}

/// `GET …/files/pull`: the pulls that run; null for none, as the reference has it.
pub(super) async fn list(Known(server): Known) -> JsonBody<Listed> {
    let downloads = server.pulls.progress();
    JsonBody(Listed {
        downloads: (!downloads.is_empty()).then_some(downloads),
    })
}

/// Which pull an address names.
#[derive(Deserialize)]
pub(super) struct Named {
    download: String,
}

/// `DELETE …/files/pull/{download}`: also for one that is not there.
pub(super) async fn cancel(Known(server): Known, Path(named): Path<Named>) -> StatusCode {
    server.pulls.cancel(&named.download);
    StatusCode::NO_CONTENT
}

/// `POST …/files/pull`: in the background, unless the request wants to wait.
pub(super) async fn begin(
    State(node): State<NodeState>,
    Known(server): Known,
    Payload(request): Payload<Request>,
) -> ApiResult<axum::response::Response> {
    if let Err(error) = request.url.parse::<Uri>() {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            format!("An error occurred while parsing that URL: {error}"),
        ));
    }
    let root = RelPath::parse(&request.root).map_err(FsError::from)?;
    if server.files().is_over_limit() {
        return Err(FsError::NoSpace.into());
    }
    let Some(pull) = server.pulls.begin(node.entropy.uuid(), &node.stopped) else {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            format!(
                "This server has reached its limit of {MAX_PULLS} simultaneous remote file downloads \
                 at once. Please wait for one to complete before trying again."
            ),
        ));
    };
    let identifier = pull.id.to_string();
    let waits = request
        .foreground
        .as_ref()
        .is_some_and(hatchery_node_proto::Flag::is_set);
    let task = tokio::spawn(run(node, server, root, request, pull));
    if !waits {
        let started = PullStarted { identifier };
        return Ok((StatusCode::ACCEPTED, JsonBody(started)).into_response());
    }
    match task.await {
        Ok(Ok(entry)) => Ok(JsonBody(wire(entry)).into_response()),
        Ok(Err(error)) => Err(error.into()),
        Err(panic) => Err(ApiError::internal(&panic)),
    }
}

async fn run(
    node: NodeState,
    server: Arc<Server>,
    root: RelPath,
    request: Request,
    pull: Arc<Pull>,
) -> Result<Entry, PullError> {
    let place = server.pulls.hold(pull);
    let work = fetch(&node, &server, &root, &request, &place.pull);
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(MAX_DURATION, work) => outcome.unwrap_or(Err(PullError::Silent)),
        () = place.pull.cancelled.cancelled() => Err(PullError::Cancelled),
    };
    if let Err(error) = &outcome {
        tracing::info!(server = %server.uuid(), pull = %place.pull.id, %error, "a file was not fetched");
    }
    outcome
}

async fn fetch(
    node: &NodeState,
    server: &Server,
    root: &RelPath,
    request: &Request,
    pull: &Pull,
) -> Result<Entry, PullError> {
    let (address, answer) = follow(node, &request.url).await?;
    let path = root
        .join(name(request, &address, answer.headers()).ok_or(PullError::Nameless)?)
        .map_err(FsError::from)?;
    if server.denylist().denies(&path) {
        return Err(PullError::Denied);
    }
    let total = header(answer.headers(), &CONTENT_LENGTH).and_then(|text| text.parse().ok());
    pull.advance(0, total);
    let mut sink = Sink::open(server.files(), path.clone()).await?;
    let mut body = answer.into_body().into_data_stream();
    while let Some(bytes) = tokio::time::timeout(SILENCE, body.next())
        .await
        .map_err(|_| PullError::Silent)?
    {
        sink = sink.push(bytes.map_err(|_| PullError::BrokeOff)?).await?;
        pull.advance(sink.received(), total);
        if sink.received() > MAX_SIZE {
            return Err(PullError::TooLarge);
        }
    }
    if total.is_some_and(|total| total != sink.received()) {
        return Err(PullError::BrokeOff);
    }
    sink.commit().await?;
    let files = server.files();
    Ok(blocking(move || files.entry(&path)?.ok_or(FsError::NotFound)).await?)
}

/// Asks at the address, and where that sends us. Every step is judged like the first.
async fn follow(node: &NodeState, url: &str) -> Result<(Uri, Response<Body>), PullError> {
    let mut address: Uri = url.parse().map_err(OutboundError::from)?;
    for _ in 0..=MAX_REDIRECTS {
        let answer = node
            .outbound
            .get(&address.to_string(), &node.config.pull_hosts)
            .await?;
        match answer.status() {
            StatusCode::OK => return Ok((address, answer)),
            status if status.is_redirection() => {
                let target =
                    header(answer.headers(), &LOCATION).ok_or(PullError::Status(status))?;
                address = relative_to(&address, target).ok_or(OutboundError::Address)?;
            }
            status => return Err(PullError::Status(status)),
        }
    }
    Err(PullError::Redirects)
}

/// The address that a redirect means.
fn relative_to(address: &Uri, target: &str) -> Option<Uri> {
    let target = target.split('#').next()?;
    let (scheme, host) = (address.scheme_str()?, address.authority()?);
    let whole = if target.contains("://") {
        target.to_owned()
    } else if target.starts_with("//") {
        format!("{scheme}:{target}")
    } else if target.starts_with('/') {
        format!("{scheme}://{host}{target}")
    } else {
        let folder = address
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        format!("{scheme}://{host}{folder}/{target}")
    };
    whole.parse().ok()
}

/// What the file is called: as the other side says, if that is wished, else as the request says,
/// else like the end of the address.
fn name(request: &Request, address: &Uri, headers: &HeaderMap) -> Option<String> {
    let wished = request
        .use_header
        .as_ref()
        .is_some_and(hatchery_node_proto::Flag::is_set);
    let stated = header(headers, &CONTENT_DISPOSITION)
        .filter(|_| wished)
        .and_then(disposition::file_name);
    let end = || {
        let end = address.path().rsplit('/').next()?;
        // One that is decoded may hold slashes again.
        let end = percent_decode_str(end).decode_utf8_lossy().into_owned();
        end.rsplit('/').next().map(str::to_owned)
    };
    stated
        .or_else(|| request.file_name.clone())
        .or_else(end)
        .filter(|name| !matches!(name.as_str(), "" | "." | ".."))
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl From<PullError> for ApiError {
    fn from(error: PullError) -> Self {
        match error {
            PullError::Files(error) => write_error(error),
            PullError::Denied => Self::denied_file(),
            other => Self::failure(
                StatusCode::BAD_REQUEST,
                format!("The file could not be fetched: {other}."),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_may_be_relative() {
        let address: Uri = "https://a.example:8443/x/y?z=1".parse().unwrap();
        for (target, expected) in [
            ("http://b.example/f", "http://b.example/f"),
            ("//b.example/f#part", "https://b.example/f"),
            ("/f?q", "https://a.example:8443/f?q"),
            ("f", "https://a.example:8443/x/f"),
        ] {
            let found = relative_to(&address, target).unwrap();
            assert_eq!(found.to_string(), expected, "{target}");
        }
    }
}
