//! `POST …/files/write`.

use std::sync::LazyLock;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest as _, Request, State};
use hatchery_app::access::needs;
use hatchery_app::{Cx, files};
use hatchery_node_proto::Contents;
use hatchery_rules::Fields;
use http_body_util::Limited;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::{BodyKind, Input, collect};
use crate::kit::server::Server;

static WRITE: LazyLock<Fields> = LazyLock::new(|| Fields::new().field("file", "required|string"));

/// Write a file
///
/// The whole body becomes the file's contents, whatever type it claims to have.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/files/write",
    operation_id = "writeFile",
    tag = "files",
    params(ServerPath, ("file" = String, Query, description = "The file's path.")),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn write_file(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileCreate>,
    request: Request,
) -> Result<NoContent, ApiError> {
    let max_body = usize::try_from(cx.settings().max_body).unwrap_or(usize::MAX);
    let (parts, body) = request.into_parts();
    // A form is read here, since its fields may name the file; everything else passes through.
    let is_form = matches!(
        BodyKind::of(&parts.headers),
        BodyKind::Form | BodyKind::Multipart
    );
    let (fields, length, body) = match body.size_hint().exact() {
        Some(length) if !is_form => (
            Body::empty(),
            length,
            Body::new(Limited::new(body, max_body)),
        ),
        // The node must know the length before the first byte.
        _ => {
            let bytes = collect(body).await?;
            (
                Body::from(bytes.clone()),
                bytes.len() as u64,
                Body::from(bytes),
            )
        }
    };
    let input = Input::from_request(Request::from_parts(parts, fields), &()).await?;
    input.check(&WRITE)?;
    let contents = Contents {
        length,
        mime: None,
        body,
    };
    files::write(&cx, &access, input.required_text("file"), contents).await?;
    Ok(NoContent)
}
