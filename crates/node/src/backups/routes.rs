//! The routes about backups (node-protocol.md §3.7), and the link that downloads one.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use hatchery_node_proto::jwt::BackupDownload;
use hatchery_node_proto::{BackupAdapter, CreateBackup, RestoreBackup};
use hatchery_vocab::BackupUuid;

use super::restore::Source;
use super::{Backups, create, restore as restoring};
use crate::files::{Attachment, Parameters};
use crate::http::{ApiError, ApiResult, Known, Payload};
use crate::state::NodeState;

/// What an archive's content type may be.
const ARCHIVE_TYPES: [&str; 2] = ["application/x-gzip", "application/gzip"];

/// `POST …/backup`
pub(super) async fn create(
    State(node): State<NodeState>,
    Known(server): Known,
    Payload(order): Payload<CreateBackup>,
) -> ApiResult<StatusCode> {
    let entered = Backups::enter(&node, server.uuid(), order.uuid).ok_or_else(busy)?;
    let (of, uuid) = (server.uuid(), order.uuid);
    let folder = node.backups.folder.clone();
    let draft = tokio::task::spawn_blocking(move || folder.draft(of, uuid))
        .await
        .map_err(|error| ApiError::internal(&error))?
        .map_err(|error| ApiError::internal(&error))?;
    tokio::spawn(create::run(node, server, order, entered, draft));
    Ok(StatusCode::ACCEPTED)
}

/// `POST …/backup/{backup}/restore`
pub(super) async fn restore(
    State(node): State<NodeState>,
    Known(server): Known,
    Path((_, backup)): Path<(String, String)>,
    Payload(order): Payload<RestoreBackup>,
) -> ApiResult<StatusCode> {
    let backup = uuid(&backup).ok_or_else(ApiError::unreadable)?;
    let adapter = BackupAdapter::from_name(&order.adapter).ok_or_else(ApiError::unreadable)?;
    if server.is_installing() {
        return Err(busy());
    }
    let source = match adapter {
        BackupAdapter::Wings => {
            let (folder, of) = (node.backups.folder.clone(), server.uuid());
            let kept = tokio::task::spawn_blocking(move || folder.open(of, backup))
                .await
                .map_err(|error| ApiError::internal(&error))?
                .map_err(|error| ApiError::internal(&error))?;
            Source::Kept(kept.ok_or_else(unknown)?)
        }
        BackupAdapter::S3 if order.download_url.is_empty() => {
            let text = "The download_url field is required when the backup adapter is set to S3.";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, text));
        }
        BackupAdapter::S3 => Source::Fetched(fetch(&node, &order.download_url).await?),
    };
    let entered = Backups::enter(&node, server.uuid(), backup).ok_or_else(busy)?;
    tokio::spawn(restoring::run(
        node,
        server,
        source,
        order.truncate_directory,
        entered,
    ));
    Ok(StatusCode::ACCEPTED)
}

/// Begins to fetch an archive.
async fn fetch(node: &NodeState, address: &str) -> ApiResult<Response<Body>> {
    let refused = |text: String| ApiError::new(StatusCode::BAD_REQUEST, text);
    let answer = node
        .outbound
        .get(address, &node.config.backup_hosts)
        .await
        .map_err(|error| refused(format!("The provided backup link cannot be used: {error}.")))?;
    if answer.status() != StatusCode::OK {
        let text = format!(
            "The provided backup link cannot be used: it answers {}.",
            answer.status().as_u16()
        );
        return Err(refused(text));
    }
    let content_type = answer.headers().get(header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !ARCHIVE_TYPES.contains(&essence) {
        let text = format!(
            "The provided backup link is not a supported content type. \"{content_type}\" is not application/x-gzip."
        );
        return Err(refused(text));
    }
    Ok(answer)
}

/// `DELETE …/backup/{backup}`: one that is being made is given up.
pub(super) async fn delete(
    State(node): State<NodeState>,
    Known(server): Known,
    Path((_, backup)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let backup = uuid(&backup).ok_or_else(unknown)?;
    let was_going_on = node.backups.cancel(server.uuid(), backup);
    let (folder, of) = (node.backups.folder.clone(), server.uuid());
    let deleted = tokio::task::spawn_blocking(move || folder.delete(of, backup))
        .await
        .map_err(|error| ApiError::internal(&error))?
        .map_err(|error| ApiError::internal(&error))?;
    if deleted || was_going_on {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(unknown())
    }
}

/// `GET /download/backup?token=`: one archive, once.
pub(super) async fn download(
    State(node): State<NodeState>,
    method: Method,
    headers: HeaderMap,
    query: Parameters,
) -> ApiResult<axum::response::Response> {
    let claims = node
        .tokens
        .link::<BackupDownload>(query.get("token"), &method)
        .map_err(|_| ApiError::dead_link())?;
    let BackupDownload {
        server_uuid: of,
        backup_uuid: backup,
    } = claims.purpose.clone();
    let server = node.registry.get(of).ok_or_else(ApiError::dead_link)?;
    let folder = node.backups.folder.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let file = folder.open(server.uuid(), backup)?;
        file.map(|file| Ok((file.metadata()?.len(), file)))
            .transpose()
    })
    .await
    .map_err(|error| ApiError::internal(&error))?;
    let opened = opened.map_err(|error: std::io::Error| ApiError::internal(&error))?;
    let (size, file) = opened.ok_or_else(unknown)?;
    let attachment = Attachment {
        file,
        size,
        name: &format!("{backup}.tar.gz"),
    };
    Ok(attachment.send(&headers, move || !node.tokens.is_denied(&claims)))
}

fn uuid(text: &str) -> Option<BackupUuid> {
    text.parse().ok()
}

fn unknown() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "The requested backup was not found on this server.",
    )
}

fn busy() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "The server is busy with other backups or an installation.",
    )
}
