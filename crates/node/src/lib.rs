//! The daemon that runs game servers.
//!
//! One task owns each server and moves its state machine ([`power`], a pure function). The panel
//! speaks to the node through [`Node::protocol_service`], browsers through
//! [`Node::public_router`]. The node knows the panel only as a [`PanelClient`] and never sees its
//! database.

mod activity;
mod backups;
mod config;
mod console;
mod files;
mod http;
mod hub;
mod lifecycle;
mod outbound;
mod power;
mod registry;
mod routes;
mod server;
mod state;
mod tokens;
mod ws;

use std::sync::Arc;

use axum::Router;
use hatchery_ambient::{Clock, Entropy};
use hatchery_node_proto::{NodeIoError, NodeService, PanelClient};
use hatchery_runtime::Runtime;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tower::ServiceExt;

pub use config::{ClientAddress, CrashConfig, InstallerLimits, NodeConfig, SocketLimits};

use crate::hub::Close;
use crate::state::NodeState;

/// A running node. Dropping it ends its own tasks; the servers run on.
#[derive(Debug)]
pub struct Node {
    state: NodeState,
    booted: watch::Receiver<bool>,
    tasks: [AbortHandle; 2],
}

impl Node {
    /// Starts the node. It answers at once and knows its servers as soon as the panel has named
    /// them ([`Node::booted`]).
    pub fn start(
        config: NodeConfig,
        runtime: Arc<dyn Runtime>,
        panel: PanelClient,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let state = NodeState::new(config, runtime, panel, clock, entropy);
        let (booted_sender, booted) = watch::channel(false);
        let booting = state.clone();
        let boot = tokio::spawn(async move {
            lifecycle::boot(&booting).await;
            booted_sender.send_replace(true);
            // Kept, so that the receivers never see a closed channel.
            booted_sender.closed().await;
        });
        let push = tokio::spawn(activity::push(state.clone()));
        Self {
            state,
            booted,
            tasks: [boot.abort_handle(), push.abort_handle()],
        }
    }

    /// Waits until the panel has named the node's servers and what still ran is adopted.
    pub async fn booted(&self) {
        // An error means that the node is being dropped.
        let _ = self.booted.clone().wait_for(|booted| *booted).await;
    }

    /// Whether [`Node::booted`] is over.
    pub fn is_booted(&self) -> bool {
        *self.booted.borrow()
    }

    /// What the panel calls: the routes behind the bearer.
    pub fn protocol_service(&self) -> NodeService {
        let router = routes::protocol(self.state.clone());
        NodeService::new(ServiceExt::<axum::extract::Request>::map_err(
            router,
            |never| -> NodeIoError { match never {} },
        ))
    }

    /// What browsers open: WebSockets, downloads and uploads. It has no fallback, so that it can be
    /// merged into the panel's own router.
    pub fn public_router(&self) -> Router {
        routes::public(self.state.clone())
    }

    /// Closes all WebSockets and hands what is left of the activity to the panel. The servers run
    /// on and are adopted at the next start.
    pub async fn shut_down(&self) {
        for server in self.state.registry.all() {
            server.hub.close(Close::STOPPING);
        }
        if let Err(error) = self.state.activity.flush(&self.state).await {
            tracing::warn!(%error, "activity was lost with the end of the node");
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        self.state.stopped.cancel();
    }
}
