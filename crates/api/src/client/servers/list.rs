//! `GET /`: the servers that someone sees.

use axum::extract::{RawQuery, State};
use hatchery_app::Actor;
use hatchery_app::servers::Listed;
use hatchery_store::{ServerFilter, ServerQuery, ServerScope, ServerSort, SortField};
use hatchery_wire::client::Server as ServerResource;
use hatchery_wire::{ListWith, PageMeta};

use super::INCLUDES;
use crate::Api;
use crate::client::documented::{AccountErrors, PageParameters};
use crate::kit::actor::Account;
use crate::kit::answer::Written;
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;
use crate::kit::page::{Page, PageSize, WrittenPage, write_item};
use crate::kit::query::{Filter, Includes, Unknown, filters, sorts};
use crate::render::{self, PageKey, View};

const SIZE: PageSize = PageSize {
    default: 50,
    max: 100,
};
const FILTERS: [&str; 5] = ["uuid", "name", "description", "external_id", "*"];
const SORTS: [&str; 4] = ["name", "created_at", "uuid", "status"];

/// How the list can be narrowed and ordered.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) struct ListParameters {
    /// `owner`, or for administrators `admin` (other people's) and `admin-all`.
    r#type: Option<String>,
    /// `filter[uuid]`, `filter[name]`, `filter[description]` and `filter[external_id]` look for a
    /// part of the value; `filter[*]` looks for names, ids, addresses and ports.
    #[param(rename = "filter[*]")]
    filter: Option<String>,
    /// `name`, `created_at`, `uuid`, `status`; `-` before one turns it around.
    sort: Option<String>,
    /// `egg`, `subusers`, or both with a comma.
    include: Option<String>,
}

/// List servers
#[utoipa::path(
    get,
    path = "/api/client",
    operation_id = "listServers",
    tag = "servers",
    params(ListParameters, PageParameters),
    responses((status = 200, body = ListWith<ServerResource, PageMeta>), AccountErrors)
)]
pub(crate) async fn list_servers(
    State(api): State<Api>,
    Account(actor): Account,
    query: Query,
    RawQuery(raw_query): RawQuery,
    here: Here,
) -> Result<Written, ApiError> {
    // Noted before anything is read: see `Store::generation`.
    let generation = api.cx.store().generation();
    let key = PageKey {
        reader: actor.user.id,
        url: here.url(),
        query: raw_query.unwrap_or_default(),
    };
    if let Some(json) = api.pages.get(&key, generation) {
        return Ok(Written(json));
    }
    let filter = filter(filters(&query, &FILTERS, Unknown::Refused)?);
    let page = Page::read(&query, SIZE);
    let Some(scope) = scope(&actor, &query) else {
        // Not for this person, and nothing to complain about either.
        let meta = page.meta(0, 0, &here, &query);
        return written(&WrittenPage {
            items: Vec::new(),
            meta,
        });
    };
    let wanted = ServerQuery {
        scope,
        filter,
        sort: sort(&query)?,
        page: page.into(),
    };
    let found = hatchery_app::servers::list(&api.cx, &actor, &wanted).await?;
    let includes = Includes::read(&query);
    let plain = includes.wants_none_of(&INCLUDES);
    let mut items = Vec::with_capacity(found.items.len());
    for Listed { server, standing } in found.items {
        let view = View::of(&standing);
        items.push(if plain {
            api.rendered.item(&server, view)?
        } else {
            let extras = super::extras(&api.cx, &server, &standing, &includes).await?;
            write_item(render::resource(&server, view, extras))
                .map_err(|error| ApiError::internal(&error))?
        });
    }
    let meta = page.meta(found.total, items.len() as u64, &here, &query);
    let document = written(&WrittenPage { items, meta })?;
    // What a filter or a sort found came from the database, which others may write to unseen.
    if plain && wanted.is_answered_from_copies() {
        api.pages.keep(key, generation, document.0.clone());
    }
    Ok(document)
}

fn written(page: &WrittenPage) -> Result<Written, ApiError> {
    page.write()
        .map(Written)
        .map_err(|error| ApiError::internal(&error))
}

/// Among which servers to look; nothing for people who ask for what only administrators see.
fn scope(actor: &Actor, query: &Query) -> Option<ServerScope> {
    let user = &actor.user;
    match query.text("type") {
        Some("owner") => Some(ServerScope::Owned(user.id)),
        Some("admin") => user.as_admin().map(ServerScope::Others),
        Some("admin-all") => user.as_admin().map(ServerScope::All),
        _ => Some(ServerScope::Accessible(user.id)),
    }
}

fn filter(wanted: Vec<Filter>) -> ServerFilter {
    let mut filter = ServerFilter::default();
    for Filter { name, values } in wanted {
        match name.as_str() {
            "uuid" => filter.uuid = values,
            "name" => filter.name = values,
            "description" => filter.description = values,
            "external_id" => filter.external_id = values,
            _ => filter.any = values.into_iter().next(),
        }
    }
    filter
}

/// The mission's addition: the reference ignores `sort` here, and so unknown fields are ignored.
fn sort(query: &Query) -> Result<Vec<ServerSort>, ApiError> {
    let wanted = sorts(query, &SORTS, Unknown::Ignored)?;
    let by = |name: &str| match name {
        "name" => SortField::Name,
        "created_at" => SortField::CreatedAt,
        "uuid" => SortField::Uuid,
        _ => SortField::Status,
    };
    Ok(wanted
        .iter()
        .map(|sort| ServerSort {
            field: by(&sort.name),
            descending: sort.descending,
        })
        .collect())
}
