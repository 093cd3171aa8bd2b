//! What every route and task of the node can reach.

use std::ops::Deref;
use std::sync::Arc;

use hatchery_ambient::{Clock, Entropy};
use hatchery_node_proto::PanelClient;
use hatchery_runtime::Runtime;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::activity::ActivityLog;
use crate::backups::Backups;
use crate::config::NodeConfig;
use crate::outbound::Outbound;
use crate::registry::Registry;
use crate::tokens::Tokens;
use crate::ws::SocketCount;

/// How many walks through servers' files run at once.
const WALKS: usize = 2;

/// The node's shared parts. Clones are the same node.
#[derive(Clone, Debug)]
pub(crate) struct NodeState(Arc<Parts>);

/// What a node consists of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) config: NodeConfig,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) panel: PanelClient,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) registry: Registry,
    pub(crate) tokens: Tokens,
    pub(crate) activity: ActivityLog,
    pub(crate) sockets: Arc<SocketCount>,
    pub(crate) backups: Backups,
    pub(crate) outbound: Outbound,
    /// Walks through servers' files wait here for their turn.
    pub(crate) walks: Semaphore,
    /// Ends the tasks of all servers; what they run goes on.
    pub(crate) stopped: CancellationToken,
}

impl NodeState {
    pub(crate) fn new(
        config: NodeConfig,
        runtime: Arc<dyn Runtime>,
        panel: PanelClient,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self(Arc::new(Parts {
            tokens: Tokens::new(config.token.clone(), Arc::clone(&clock)),
            sockets: Arc::new(SocketCount::new(config.sockets)),
            backups: Backups::new(config.backups.clone()),
            outbound: Outbound::new(),
            config,
            runtime,
            panel,
            clock,
            entropy,
            registry: Registry::default(),
            activity: ActivityLog::default(),
            walks: Semaphore::new(WALKS),
            stopped: CancellationToken::new(),
        }))
    }
}

impl Deref for NodeState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
