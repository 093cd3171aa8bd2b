//! The servers of a node (node-protocol.md §2.4, §2.5 and §2.7).

use axum::extract::{Path, State};
use hatchery_app::{Cx, remote};
use hatchery_node_proto::{ProcessConfiguration, ServerConfiguration, ServerSettings};
use hatchery_store::Page;
use hatchery_vocab::ServerUuid;
use serde::Serialize;

use super::caller::Caller;
use crate::kit::answer::{NoContent, Ok200};
use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;

/// How many servers a page has when the node does not say, and at most.
const USUAL_PAGE: u64 = 50;
const LARGEST_PAGE: u64 = 100;

/// A page of servers.
#[derive(Serialize)]
pub(super) struct ServerPage {
    data: Vec<ListedServer>,
    links: PageLinks,
    meta: PageMeta,
}

#[derive(Serialize)]
struct ListedServer {
    uuid: ServerUuid,
    settings: ServerSettings,
    process_configuration: ProcessConfiguration,
}

#[derive(Serialize)]
struct PageLinks {
    first: String,
    last: String,
    prev: Option<String>,
    next: Option<String>,
}

#[derive(Serialize)]
struct PageMeta {
    current_page: u64,
    from: Option<u64>,
    last_page: u64,
    /// Buttons of a page for people, which no node reads.
    links: [(); 0],
    path: String,
    per_page: u64,
    to: Option<u64>,
    total: u64,
}

/// `GET /api/remote/servers`
pub(super) async fn list(
    State(cx): State<Cx>,
    Caller(node): Caller,
    here: Here,
    query: Query,
) -> Result<Ok200<ServerPage>, ApiError> {
    let number = |name| {
        query
            .text(name)
            .and_then(|text| text.parse::<u64>().ok())
            .filter(|number| *number > 0)
    };
    // Daemons begin with page 0 and mean the first.
    let page = Page {
        number: number("page").unwrap_or(1),
        size: number("per_page").unwrap_or(USUAL_PAGE).min(LARGEST_PAGE),
    };
    let servers = remote::servers(&cx, &node, page).await?;
    let mut data = Vec::with_capacity(servers.items.len());
    for server in &servers.items {
        let ServerConfiguration {
            settings,
            process_configuration,
        } = remote::configuration(&cx, server).await?;
        data.push(ListedServer {
            uuid: server.uuid,
            settings,
            process_configuration,
        });
    }
    let path = format!("{}/api/remote/servers", here.origin());
    let last_page = servers.total.div_ceil(page.size).max(1);
    let link = |number: u64| format!("{path}?page={number}");
    let count = data.len() as u64;
    let links = PageLinks {
        first: link(1),
        last: link(last_page),
        prev: (page.number > 1).then(|| link(page.number - 1)),
        next: (page.number < last_page).then(|| link(page.number + 1)),
    };
    let meta = PageMeta {
        current_page: page.number,
        from: (count > 0).then(|| page.offset() + 1),
        last_page,
        links: [],
        path: path.clone(),
        per_page: page.size,
        to: (count > 0).then(|| page.offset() + count),
        total: servers.total,
    };
    Ok(Ok200(ServerPage { data, links, meta }))
}

/// `GET /api/remote/servers/{server}`
pub(super) async fn view(
    State(cx): State<Cx>,
    Caller(node): Caller,
    Path(server): Path<String>,
) -> Result<Ok200<ServerConfiguration>, ApiError> {
    let server = remote::server(&cx, &node, &server)
        .await?
        .ok_or_else(ApiError::not_found)?;
    Ok(Ok200(remote::configuration(&cx, &server).await?))
}

/// `POST /api/remote/servers/reset`
pub(super) async fn reset(
    State(cx): State<Cx>,
    Caller(node): Caller,
) -> Result<NoContent, ApiError> {
    remote::reset(&cx, &node).await?;
    Ok(NoContent)
}
