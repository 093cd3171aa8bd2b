//! A server's process and console: power, commands, and the way to its WebSocket.

use hatchery_node_proto::{NodeError, jwt};
use hatchery_vocab::{Permission, PowerSignal};
use http::StatusCode;

use crate::access::{Access, Conflict, needs};
use crate::activity::Event;
use crate::links::{self, NodeAddress};
use crate::{Cx, node_call};

/// Why a command did not reach the console.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The server does not run.
    #[error("the server does not run")]
    Offline,
    /// The node failed.
    #[error(transparent)]
    Node(NodeError),
}

impl From<NodeError> for CommandError {
    fn from(error: NodeError) -> Self {
        if error.status() == Some(StatusCode::BAD_GATEWAY) {
            Self::Offline
        } else {
            Self::Node(error)
        }
    }
}

/// Types a line into the console.
pub async fn send_command(
    cx: &Cx,
    access: &Access<needs::ControlConsole>,
    command: &str,
) -> Result<(), CommandError> {
    let node = node_call::client(cx, &access.server.node)?;
    node.commands(access.server.uuid, vec![command.to_owned()])
        .await?;
    Event::new("server:console.command")
        .with("command", command)
        .on_server(cx, access);
    Ok(())
}

/// Proof that someone may send one signal.
#[derive(Debug)]
pub struct MaySend {
    access: Access,
    signal: PowerSignal,
}

impl MaySend {
    /// The proof, for those who have it.
    pub fn check(access: &Access, signal: PowerSignal) -> Option<Self> {
        access.may(signal.permission()).then(|| Self {
            access: access.clone(),
            signal,
        })
    }
}

/// Starts, stops, restarts or kills the process.
pub async fn send_power(cx: &Cx, granted: &MaySend) -> Result<(), NodeError> {
    let MaySend { access, signal } = granted;
    let node = node_call::client(cx, &access.server.node)?;
    node.power(access.server.uuid, *signal).await?;
    Event::new(match signal {
        PowerSignal::Start => "server:power.start",
        PowerSignal::Stop => "server:power.stop",
        PowerSignal::Restart => "server:power.restart",
        PowerSignal::Kill => "server:power.kill",
    })
    .on_server(cx, access);
    Ok(())
}

/// Why nobody may open the console.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The server is in a state in which this person may not watch.
    #[error("the server's state does not allow it")]
    Conflict(Conflict),
    /// The permission is missing.
    #[error("the permission is missing")]
    Forbidden,
    /// The node is unknown.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// How to open the console: the socket's address, and the token that is its first message.
#[derive(Clone, Debug)]
pub struct Socket {
    /// The token.
    pub token: String,
    /// The address.
    pub address: String,
}

/// Lets someone open the console. Administrators may watch an installation, a restoration and a
/// transfer (client-api.md §1.8). `panel` is where the caller reached this panel.
pub fn open_socket(cx: &Cx, access: &Access, panel: &str) -> Result<Socket, SocketError> {
    if let Some(conflict) = access.conflict()
        && !(access.standing.is_admin && conflict.lets_administrators_watch())
    {
        return Err(SocketError::Conflict(conflict));
    }
    if !access.may(Permission::WebsocketConnect) {
        return Err(SocketError::Forbidden);
    }
    let address = NodeAddress::of(&access.server.node, panel);
    let purpose = jwt::Websocket {
        server_uuid: access.server.uuid,
        permissions: access.permission_names(),
    };
    let token = links::issue(cx, access, &address, panel, purpose)?;
    let address = format!(
        "{}/api/servers/{}/ws",
        address.for_sockets(),
        access.server.uuid
    );
    Ok(Socket { token, address })
}
