//! `/servers/{server}/databases`: one file per route.

mod create;
mod delete;
mod list;
mod rotate;

use hatchery_app::Cx;
use hatchery_app::access::Reached;
use hatchery_app::databases::{self, ChangeError, HostError};
use hatchery_store::{Database, ServerSnapshot};
use hatchery_vocab::{Hashids, Permission};
use hatchery_wire::client::{DatabaseAddress, DatabasePassword, DatabaseRelationships};
use hatchery_wire::{Included, client};
use http::StatusCode;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;
use crate::kit::actor::Segments;
use crate::kit::error::{ApiError, UNEXPECTED};
use crate::kit::server::Child;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list::list_databases, create::create_database))
        .routes(routes!(rotate::rotate_database_password))
        .routes(routes!(delete::delete_database))
}

/// The database of a route.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) struct DatabasePath {
    /// The server's UUID, or the first eight characters of it.
    server: String,
    /// The database's id.
    database: String,
}

/// The database that an address names.
pub(crate) struct OfServer(Database);

impl Child for OfServer {
    async fn find(cx: &Cx, _: &ServerSnapshot, segments: &Segments) -> Result<Self, ApiError> {
        let name = segments.get("database").unwrap_or_default();
        let found = databases::find(cx, name).await?;
        found.map(Self).ok_or_else(ApiError::not_found)
    }

    /// Databases have a sentence of their own for this (client-api.md §2.4).
    fn check_belongs_to(&self, server: &ServerSnapshot) -> Result<(), ApiError> {
        if self.0.server_id == server.id {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "NotFoundHttpException",
            "The requested resource was not found for this server.",
        ))
    }
}

/// What a reader sees of a database, with or without its password.
fn shown(database: Database, ids: &Hashids) -> client::Database {
    client::Database {
        // Row ids are positive.
        id: ids.encode(database.id.get().unsigned_abs()),
        host: DatabaseAddress {
            address: database.host,
            port: database.port.get(),
        },
        name: database.name,
        username: database.username,
        connections_from: database.remote,
        max_connections: Some(database.max_connections.unwrap_or(0)),
        relationships: None,
    }
}

/// The same with the password, for those who may see it.
fn shown_with_password(database: Database, ids: &Hashids, reader: &Reached) -> client::Database {
    let password = if reader.may(Permission::DatabaseViewPassword) {
        let password = database.password.expose().to_owned();
        Included::Shown(DatabasePassword { password }.into())
    } else {
        Included::HIDDEN
    };
    client::Database {
        relationships: Some(DatabaseRelationships { password }),
        ..shown(database, ids)
    }
}

/// A database host failed. Clients know the reference's answer (client-api.md §3.4.2); what happened
/// is for the operator.
fn host_failed(error: &HostError) -> ApiError {
    tracing::warn!(%error, "a database host failed");
    match error {
        HostError::Busy | HostError::Locked => ApiError::unavailable(),
        _ => ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "QueryException",
            UNEXPECTED,
        ),
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Gone => Self::not_found(),
            ChangeError::Host(error) => host_failed(&error),
            ChangeError::Store(error) => error.into(),
        }
    }
}
