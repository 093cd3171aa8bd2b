//! `GET …/backups`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hatchery_app::access::needs;
use hatchery_app::{Cx, backups};
use hatchery_wire::ListWith;
use hatchery_wire::client::{Backup, BackupMeta};

use super::shown;
use crate::client::documented::{PageParameters, ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;
use crate::kit::page::{Page, PageSize};
use crate::kit::server::Server;

const SIZE: PageSize = PageSize {
    default: 20,
    max: 50,
};

/// List backups
///
/// Oldest first, failed ones included. `meta.backup_count` counts those that have not failed.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/backups",
    operation_id = "listBackups",
    tag = "backups",
    params(ServerPath, PageParameters),
    responses((status = 200, body = ListWith<Backup, BackupMeta>), ServerErrors)
)]
pub(crate) async fn list_backups(
    State(cx): State<Cx>,
    Server(access): Server<needs::BackupRead>,
    query: Query,
    here: Here,
) -> Result<Response, ApiError> {
    let page = Page::read(&query, SIZE);
    let found = backups::list(&cx, &access, page.into()).await?;
    // The links of this list name nothing but the page (client-api.md §1.13).
    let meta = page.meta(
        found.total,
        found.items.len() as u64,
        &here,
        &Query::default(),
    );
    let meta = BackupMeta::new(found.kept, meta);
    Ok(Ok200(ListWith::new(found.items.into_iter().map(shown), meta)).into_response())
}
