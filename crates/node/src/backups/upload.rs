//! Handing an archive to a bucket, part by part, to addresses that the panel signed.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use hatchery_archive::Progress;
use hatchery_node_proto::{PanelError, UploadAddresses, UploadedPart};
use hatchery_vocab::BackupUuid;

use crate::files::file_body;
use crate::outbound::OutboundError;
use crate::state::NodeState;

/// How often a part is sent before the upload is given up.
const ATTEMPTS: u32 = 5;
/// The wait after the first failure; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// How long one part may take (node-protocol.md §8).
const PART_LIMIT: Duration = Duration::from_hours(2);
/// The content type of every part, as the reference's daemon sends it.
const CONTENT_TYPE: &str = "application/x-gzip";

/// Why an archive did not get into the bucket. No text names an address: addresses carry their own
/// permission.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    /// The panel gives no addresses.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// The addresses do not fit the archive.
    #[error("the panel gave {0} addresses, which do not fit the archive")]
    Addresses(usize),
    /// The archive cannot be read.
    #[error("the archive cannot be read: {0}")]
    File(std::io::Error),
    /// The bucket cannot be reached.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The bucket refuses.
    #[error("the bucket answered {0} to part {1}")]
    Refused(StatusCode, u32),
    /// The bucket does not say what it calls a part.
    #[error("the bucket gave no tag for part {0}")]
    NoTag(u32),
    /// It is not wanted any more.
    #[error("cancelled")]
    Cancelled,
}

impl UploadError {
    /// Whether the same may go well next time.
    fn may_pass(&self) -> bool {
        match self {
            Self::Outbound(error) => error.may_pass(),
            Self::Refused(status, _) => !status.is_client_error(),
            _ => false,
        }
    }
}

/// Uploads an archive of so many bytes.
pub(super) async fn upload(
    node: &NodeState,
    backup: BackupUuid,
    file: File,
    size: u64,
    progress: &Arc<Progress>,
) -> Result<Vec<UploadedPart>, UploadError> {
    let UploadAddresses { parts, part_size } = node.panel.upload_addresses(backup, size).await?;
    if part_size == 0 || size.div_ceil(part_size) != parts.len() as u64 {
        return Err(UploadError::Addresses(parts.len()));
    }
    let mut uploaded = Vec::with_capacity(parts.len());
    for (number, address) in (1..).zip(&parts) {
        let start = u64::from(number - 1) * part_size;
        let part = Part {
            number,
            address,
            start,
            length: part_size.min(size - start),
        };
        let mut wait = FIRST_WAIT;
        let mut attempt = 1;
        let etag = loop {
            if progress.is_cancelled() {
                return Err(UploadError::Cancelled);
            }
            match part.send(node, &file).await {
                Ok(etag) => break etag,
                Err(error) if error.may_pass() && attempt < ATTEMPTS => {
                    tracing::warn!(%backup, %error, attempt, "a part of a backup is sent again");
                    tokio::time::sleep(wait).await;
                    (wait, attempt) = (wait * 2, attempt + 1);
                }
                Err(error) => return Err(error),
            }
        };
        uploaded.push(UploadedPart {
            etag,
            part_number: number,
        });
    }
    Ok(uploaded)
}

/// One part and where it goes.
struct Part<'a> {
    number: u32,
    address: &'a str,
    start: u64,
    length: u64,
}

impl Part<'_> {
    /// Sends it, read from the disk as the bucket takes it. Returns what the bucket calls it.
    async fn send(&self, node: &NodeState, file: &File) -> Result<String, UploadError> {
        let file = file.try_clone().map_err(UploadError::File)?;
        let body = file_body(file, self.start, self.length, || true);
        let answer = node
            .outbound
            .put(self.address, CONTENT_TYPE, self.length, body, PART_LIMIT)
            .await?;
        if answer.status() != StatusCode::OK {
            return Err(UploadError::Refused(answer.status(), self.number));
        }
        let etag = answer.headers().get(header::ETAG);
        let etag = etag.and_then(|etag| etag.to_str().ok());
        etag.map(str::to_owned)
            .ok_or(UploadError::NoTag(self.number))
    }
}
