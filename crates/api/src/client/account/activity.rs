//! `GET /account/activity`.

use axum::extract::State;
use hatchery_app::{Cx, activity};
use hatchery_wire::client::ActivityLog;
use hatchery_wire::{ListWith, PageMeta};

use crate::client::activity::{ActivityParameters, Request};
use crate::client::documented::{AccountErrors, PageParameters};
use crate::kit::actor::Account;
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;

/// List account activity
///
/// What was done by and to the caller, oldest first unless `sort` says otherwise.
#[utoipa::path(
    get,
    path = "/api/client/account/activity",
    operation_id = "listAccountActivity",
    tag = "account",
    params(PageParameters, ActivityParameters),
    responses((status = 200, body = ListWith<ActivityLog, PageMeta>), AccountErrors)
)]
pub(crate) async fn list_account_activity(
    Account(actor): Account,
    State(cx): State<Cx>,
    query: Query,
    here: Here,
) -> Result<Ok200<ListWith<ActivityLog, PageMeta>>, ApiError> {
    let request = Request::read(&query)?;
    let page = activity::of_user(&cx, &actor, &request.query).await?;
    Ok(Ok200(request.answer(page, &actor.user, &here, &query)))
}
