//! The link that takes files in.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use futures_util::Stream;
use hatchery_node_proto::jwt::{Claims, FileUpload};
use hatchery_serverfs::RelPath;
use multer::{Field, Multipart};
use serde_json::{Map, Value};

use super::query::Parameters;
use super::sink::Sink;
use super::write_error;
use crate::http::{Address, ApiError, ApiResult};
use crate::server::Server;
use crate::state::NodeState;

/// The form field whose parts are files.
const FIELD: &str = "files";

/// How many bytes may arrive without any of them being part of a field's content: the headers of a
/// part, or what stands before the first one. Beyond that somebody wants to fill our memory.
const MAX_HEADERS: u64 = 64 * 1024;

/// `POST /upload/file?token=&directory=`: any number of files, with one link, once. Each is there
/// whole or not at all; those before a failure stay.
pub(super) async fn files(
    State(node): State<NodeState>,
    Address(address): Address,
    query: Parameters,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<StatusCode> {
    let claims = node
        .tokens
        .redeem::<FileUpload>(query.get("token"))
        .map_err(|_| ApiError::dead_link())?;
    let server = node
        .registry
        .get(claims.purpose.server_uuid)
        .ok_or_else(ApiError::dead_link)?;
    let directory = query.path("directory")?;
    let boundary = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| multer::parse_boundary(kind.to_str().ok()?).ok())
        .ok_or_else(not_multipart)?;

    let hunger = Arc::new(AtomicU64::new(0));
    let mut form = Multipart::new(Paced::new(body, Arc::clone(&hunger)), boundary);
    let mut upload = Upload {
        node,
        server,
        claims,
        directory,
        hunger,
        taken: 0,
    };
    while let Some(field) = form.next_field().await.map_err(|_| not_multipart())? {
        upload.fed();
        if field.name() == Some(FIELD) && field.file_name().is_some() {
            let (directory, file) = upload.take(field).await?;
            upload.taken += 1;
            let metadata = Map::from_iter([
                ("file".to_owned(), Value::from(file)),
                ("directory".to_owned(), directory.into()),
            ]);
            upload.node.activity.record(
                upload.server.uuid(),
                Some(upload.claims.user_uuid),
                address,
                "server:file.uploaded",
                metadata,
                upload.node.clock.now(),
            );
        } else {
            upload.pass_over(field).await?;
        }
    }
    if upload.taken == 0 {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "No files were found on the request body.",
        ));
    }
    Ok(StatusCode::OK)
}

fn not_multipart() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "Failed to get multipart form data from request.",
    )
}

/// One use of an upload link.
struct Upload {
    node: NodeState,
    server: Arc<Server>,
    claims: Claims<FileUpload>,
    directory: RelPath,
    hunger: Arc<AtomicU64>,
    taken: usize,
}

impl Upload {
    /// Stores one file and returns its directory and name as the log tells them.
    async fn take(&self, mut field: Field<'_>) -> ApiResult<(String, String)> {
        // Only the last part of the name counts, as browsers and the reference have it.
        let name = field.file_name().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        let path = self
            .directory
            .join(&name)
            .map_err(hatchery_serverfs::FsError::from)?;
        if self.server.denylist().denies(&path) {
            return Err(ApiError::denied_file());
        }
        let mebibytes = self.node.config.upload_limit_mib;
        let limit = mebibytes.saturating_mul(1024 * 1024);
        let mut sink = Sink::open(self.server.files(), path)
            .await
            .map_err(write_error)?;
        while let Some(bytes) = field.chunk().await.map_err(|_| not_multipart())? {
            self.fed();
            if sink.received() + bytes.len() as u64 > limit {
                return Err(ApiError::new(
                    StatusCode::BAD_REQUEST,
                    format!(
                        "File {name} is larger than the maximum file upload size of {mebibytes} MB."
                    ),
                ));
            }
            // A right that was taken away ends an upload that is under way, too.
            if self.node.tokens.is_denied(&self.claims) {
                return Err(ApiError::dead_link());
            }
            sink = sink.push(bytes).await.map_err(write_error)?;
        }
        sink.commit().await.map_err(write_error)?;
        Ok((self.directory.to_string(), name))
    }

    /// Reads past a field that nobody asked for.
    async fn pass_over(&self, mut field: Field<'_>) -> ApiResult<()> {
        let mut length = 0;
        while let Some(bytes) = field.chunk().await.map_err(|_| not_multipart())? {
            self.fed();
            length += bytes.len() as u64;
            if length > MAX_HEADERS {
                return Err(not_multipart());
            }
        }
        Ok(())
    }

    /// Says that what arrived was of use.
    fn fed(&self) {
        self.hunger.store(0, Ordering::Relaxed);
    }
}

/// A body that is handed to the form's parser piece by piece. Left alone, the parser would gather
/// all that has arrived before it looks at any of it, and the headers of a part without end for
/// ever.
struct Paced {
    body: BodyDataStream,
    /// Bytes handed over since the parser last made use of any.
    hunger: Arc<AtomicU64>,
    rests: bool,
}

impl Paced {
    fn new(body: Body, hunger: Arc<AtomicU64>) -> Self {
        Self {
            body: body.into_data_stream(),
            hunger,
            rests: false,
        }
    }
}

impl Stream for Paced {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.hunger.load(Ordering::Relaxed) > MAX_HEADERS {
            return Poll::Ready(Some(Err(io::ErrorKind::InvalidData.into())));
        }
        let polled = Pin::new(&mut self.body).poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            self.hunger.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            self.rests = true;
        }
        polled.map(|piece| piece.map(|piece| piece.map_err(io::Error::other)))
    }
}
