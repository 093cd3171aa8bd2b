//! `POST /servers/{server}/databases/{database}/rotate-password`.

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::databases;
use hatchery_wire::Item;
use hatchery_wire::client::Database;

use super::{DatabasePath, OfServer, shown_with_password};
use crate::client::documented::ServerErrors;
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::server::ServerWith;

/// Change a database's password
///
/// The account gets a new random password, and the old one stops working.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/databases/{database}/rotate-password",
    operation_id = "rotateDatabasePassword",
    tag = "databases",
    params(DatabasePath),
    responses(
        (status = 200, body = Item<Database>),
        (status = 500, description = "The database host failed. Nothing was changed.", body = hatchery_wire::ErrorDocument),
        (status = 503, description = "Too many databases are being changed. Try again soon.", body = hatchery_wire::ErrorDocument),
        ServerErrors
    )
)]
pub(crate) async fn rotate_database_password(
    State(cx): State<Cx>,
    ServerWith(access, OfServer(database)): ServerWith<OfServer, needs::DatabaseUpdate>,
) -> Result<Ok200<Item<Database>>, ApiError> {
    let rotated = databases::rotate_password(&cx, &access, database).await?;
    let ids = databases::public_ids(&cx).await?;
    Ok(Ok200(shown_with_password(rotated, &ids, &access).into()))
}
