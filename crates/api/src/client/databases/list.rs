//! `GET /servers/{server}/databases`.

use axum::extract::State;
use axum::response::Response;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::databases;
use hatchery_wire::List;
use hatchery_wire::client::Database;

use super::{shown, shown_with_password};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;
use crate::kit::page::whole_list;
use crate::kit::query::Includes;
use crate::kit::server::Server;

/// List databases
///
/// Passwords are beside them with `include=password`, for those who may see them.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/databases",
    operation_id = "listDatabases",
    tag = "databases",
    params(ServerPath, ("include" = Option<String>, Query, description = "`password`.")),
    responses((status = 200, body = List<Database>), ServerErrors)
)]
pub(crate) async fn list_databases(
    State(cx): State<Cx>,
    Server(access): Server<needs::DatabaseRead>,
    query: Query,
    here: Here,
) -> Result<Response, ApiError> {
    let ids = databases::public_ids(&cx).await?;
    let with_password = Includes::read(&query).wants("password");
    let found = databases::list(&cx, &access).await?;
    let resources = found.into_iter().map(|database| {
        if with_password {
            shown_with_password(database, &ids, &access)
        } else {
            shown(database, &ids)
        }
    });
    Ok(whole_list(resources, &query, &here))
}
