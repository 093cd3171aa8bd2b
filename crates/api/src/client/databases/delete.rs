//! `DELETE /servers/{server}/databases/{database}`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::databases;

use super::{DatabasePath, OfServer};
use crate::client::documented::ServerErrors;
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;

/// Delete a database
///
/// The database goes with everything in it, and its account.
#[utoipa::path(
    delete,
    path = "/api/client/servers/{server}/databases/{database}",
    operation_id = "deleteDatabase",
    tag = "databases",
    params(DatabasePath),
    responses(
        (status = 204),
        (status = 500, description = "The database host failed. Nothing was changed.", body = hatchery_wire::ErrorDocument),
        (status = 503, description = "Too many databases are being changed. Try again soon.", body = hatchery_wire::ErrorDocument),
        ServerErrors
    )
)]
pub(crate) async fn delete_database(
    State(cx): State<Cx>,
    ServerWith(access, OfServer(database)): ServerWith<OfServer, needs::DatabaseDelete>,
) -> Result<NoContent, ApiError> {
    databases::delete(&cx, &access, database).await?;
    Ok(NoContent)
}
