//! Changing what is there: rename, copy, create, delete, permissions.

use axum::extract::State;
use axum::http::StatusCode;
use hatchery_node_proto::{Chmod, Copy, CreateDirectory, Delete, Rename};
use hatchery_serverfs::{FsError, RelPath};

use super::{blocking, write_error};
use crate::http::{ApiError, ApiResult, Known, Payload};
use crate::state::NodeState;

/// `PUT …/files/rename`. A source that is not there is passed over.
pub(super) async fn rename(
    Known(server): Known,
    Payload(body): Payload<Rename>,
) -> ApiResult<StatusCode> {
    refuse_empty(&body.files, "No files to move or rename were provided.")?;
    let root = RelPath::parse(&body.root).map_err(FsError::from)?;
    let denylist = server.denylist();
    let mut moves = Vec::with_capacity(body.files.len());
    for file in &body.files {
        let from = root.join(&file.from).map_err(FsError::from)?;
        let to = root.join(&file.to).map_err(FsError::from)?;
        if denylist.denies(&from) || denylist.denies(&to) {
            return Err(ApiError::denied_file());
        }
        moves.push((from, to));
    }
    let files = server.files();
    blocking(move || {
        moves
            .iter()
            .try_for_each(|(from, to)| match files.rename(from, to) {
                Err(FsError::NotFound) => Ok(()),
                other => other,
            })
    })
    .await
    .map_err(|error| match error {
        FsError::Exists => ApiError::new(
            StatusCode::BAD_REQUEST,
            "Cannot move or rename file, destination already exists.",
        ),
        FsError::Root | FsError::IntoItself => ApiError::new(
            StatusCode::BAD_REQUEST,
            format!("Cannot move or rename file: {error}."),
        ),
        other => write_error(other),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST …/files/copy`: a copy beside the original.
pub(super) async fn copy(
    State(node): State<NodeState>,
    Known(server): Known,
    Payload(body): Payload<Copy>,
) -> ApiResult<StatusCode> {
    let path = RelPath::parse(&body.location).map_err(FsError::from)?;
    if server.denylist().denies(&path) {
        return Err(ApiError::denied_file());
    }
    let (files, now) = (server.files(), node.clock.now());
    match blocking(move || files.copy(&path, now)).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        // The protocol does not tell a directory from a missing file here.
        Err(FsError::IsDirectory) => Err(FsError::NotFound.into()),
        Err(error) => Err(error.into()),
    }
}

/// `POST …/files/create-directory`, with those above it; one that exists is fine.
pub(super) async fn create_directory(
    Known(server): Known,
    Payload(body): Payload<CreateDirectory>,
) -> ApiResult<StatusCode> {
    let path = RelPath::parse(&body.path)
        .and_then(|path| path.join(&body.name))
        .map_err(FsError::from)?;
    let files = server.files();
    blocking(move || files.create_directory(&path))
        .await
        .map_err(write_error)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST …/files/delete`: whole trees too; what is not there is passed over.
pub(super) async fn delete(
    Known(server): Known,
    Payload(body): Payload<Delete>,
) -> ApiResult<StatusCode> {
    refuse_empty(&body.files, "No files were specified for deletion.")?;
    let root = RelPath::parse(&body.root).map_err(FsError::from)?;
    let paths: Vec<_> = body
        .files
        .iter()
        .map(|file| root.join(file))
        .collect::<Result<_, _>>()
        .map_err(FsError::from)?;
    let files = server.files();
    blocking(move || {
        paths
            .iter()
            .try_for_each(|path| files.delete(path).map(drop))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST …/files/chmod`. A file that is not there is passed over.
pub(super) async fn chmod(
    Known(server): Known,
    Payload(body): Payload<Chmod>,
) -> ApiResult<StatusCode> {
    refuse_empty(&body.files, "No files to chmod were provided.")?;
    let root = RelPath::parse(&body.root).map_err(FsError::from)?;
    let mut changes = Vec::with_capacity(body.files.len());
    for file in &body.files {
        let mode = file
            .mode
            .bits()
            .ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "Invalid file mode."))?;
        changes.push((root.join(&file.file).map_err(FsError::from)?, mode));
    }
    let files = server.files();
    blocking(move || {
        changes
            .iter()
            .try_for_each(|(path, mode)| match files.chmod(path, *mode) {
                Err(FsError::NotFound) => Ok(()),
                other => other,
            })
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses a request that names no files.
pub(super) fn refuse_empty<T>(files: &[T], text: &'static str) -> ApiResult<()> {
    if files.is_empty() {
        Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, text))
    } else {
        Ok(())
    }
}
