//! Servers come and go: at boot, by the panel's word, at the end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hatchery_node_proto::ws::outbound;
use hatchery_node_proto::{RemoteServer, ServerConfiguration, ServerPage};
use hatchery_runtime::{Console, Job};
use hatchery_serverfs::FsError;
use hatchery_vocab::ServerUuid;

use crate::backups;
use crate::hub::Close;
use crate::server::Server;
use crate::state::NodeState;

/// How many servers the panel is asked for at once (node-protocol.md §1.1).
const PER_PAGE: u32 = 50;
/// More pages than this are not the answer of a panel in its right mind.
const MAX_PAGES: u32 = 10_000;
/// The wait before the panel is asked again at boot. The calls themselves wait longer and longer.
const PANEL_LATE: Duration = Duration::from_secs(5);

/// Adds a server and starts its task; `None` when there is one already.
pub(crate) fn add(
    node: &NodeState,
    configuration: ServerConfiguration,
    found: Option<(Job, Console)>,
) -> Result<Option<Arc<Server>>, FsError> {
    node.registry.add(configuration.settings.uuid, || {
        Server::spawn(node, configuration, found)
    })
}

/// Ends a server, closes its sockets, deletes its files and forgets it.
pub(crate) async fn delete(node: &NodeState, server: &Arc<Server>) {
    node.registry.remove(server.uuid());
    server.publish(outbound::DELETED, &["null"]);
    server.hub.close(Close::DELETED);
    server.end().await;
    let (uuid, files) = (server.uuid(), server.files());
    let folder = node.config.data.join(uuid.to_string());
    let node = node.clone();
    // A large folder takes its time, and nobody has to wait for it.
    tokio::task::spawn_blocking(move || {
        node.backups.forget(uuid);
        let outcome = files
            .clear()
            .and_then(|()| Ok(std::fs::remove_dir(folder)?));
        match outcome {
            Ok(()) | Err(FsError::NotFound) => {
                tracing::info!(server = %uuid, "the server and its files are deleted");
            }
            Err(error) => {
                tracing::error!(server = %uuid, %error, "the deleted server's files could not be deleted");
            }
        }
    });
}

/// Takes up where the node left off: what still runs is adopted again, and the panel says which
/// servers there are. It waits for a panel that comes late.
pub(crate) async fn boot(node: &NodeState) {
    let mut found = reattach(node).await;
    for number in 1..=MAX_PAGES {
        let page = fetch_page(node, number).await;
        let last = page.last_page();
        for remote in page.data {
            take_up(node, remote, &mut found);
        }
        if number >= last {
            break;
        }
        // A node with a thousand servers must let others in between.
        tokio::task::yield_now().await;
    }
    for (uuid, _) in found {
        tracing::warn!(server = %uuid, "a running server is unknown to the panel and is ended");
        if let Err(error) = node.runtime.destroy(uuid).await {
            tracing::error!(server = %uuid, %error, "the unknown server could not be ended");
        }
    }
    if let Err(error) = node.panel.reset().await {
        tracing::warn!(%error, "the panel was not told that the node has started");
    }
    backups::report_cut_short(node).await;
}

async fn reattach(node: &NodeState) -> HashMap<ServerUuid, (Job, Console)> {
    match node.runtime.reattach().await {
        Ok(found) => found
            .into_iter()
            .map(|found| (found.server, (found.job, found.console)))
            .collect(),
        Err(error) => {
            tracing::error!(%error, "servers that still run could not be found");
            HashMap::new()
        }
    }
}

async fn fetch_page(node: &NodeState, number: u32) -> ServerPage {
    loop {
        match node.panel.servers(number, PER_PAGE).await {
            Ok(page) => return page,
            Err(error) => {
                tracing::error!(%error, "the list of servers could not be fetched; trying again");
                tokio::time::sleep(PANEL_LATE).await;
            }
        }
    }
}

fn take_up(
    node: &NodeState,
    remote: RemoteServer,
    found: &mut HashMap<ServerUuid, (Job, Console)>,
) {
    let uuid = remote.uuid;
    // Taken out first: a game is known, and lives on, even where its settings are not understood.
    let running = found.remove(&uuid);
    match remote.configuration() {
        Ok(configuration) => {
            if let Err(error) = add(node, configuration, running) {
                tracing::error!(server = %uuid, %error, "the server's folder could not be opened");
            }
        }
        Err(error) => {
            tracing::error!(server = %uuid, %error, "the panel's settings for this server are not understood");
        }
    }
}
