//! Bodies of the routes about servers (node-protocol.md §2.6 and §3.3 to §3.5).

use hatchery_vocab::{PowerState, ServerUuid, UserUuid};
use serde::{Deserialize, Serialize};

use crate::ServerSettings;

/// What `GET /api/servers/{uuid}` answers. The node tells all settings; the panel, which gave them
/// to it, reads only whose they are ([`ServerIdentity`]), so that no daemon is too old or too new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerDetails<C = ServerSettings> {
    /// What the process is doing.
    pub state: PowerState,
    /// Whether the server is out of service.
    #[serde(default)]
    pub is_suspended: bool,
    /// What it uses.
    #[serde(default)]
    pub utilization: Utilization,
    /// Its settings.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub configuration: Option<C>,
}

/// Whose settings they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerIdentity {
    /// The server.
    pub uuid: ServerUuid,
}

/// What a server uses; also the payload of the WebSocket's `stats` (node-protocol.md §4.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Utilization {
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Its limit in bytes.
    pub memory_limit_bytes: u64,
    /// Percent of one core, three decimals.
    pub cpu_absolute: f64,
    /// Traffic since the start.
    pub network: Network,
    /// Milliseconds since the start.
    pub uptime: u64,
    /// What the process is doing.
    pub state: PowerState,
    /// Size of the server's files in bytes.
    pub disk_bytes: u64,
}

/// Traffic since the start of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
}

/// Body of `POST /api/servers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateServer {
    /// The server, which the node then asks the panel about.
    pub uuid: ServerUuid,
    /// Whether to start it when it is installed.
    #[serde(default)]
    pub start_on_completion: bool,
}

/// Body of `POST …/power`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Power {
    /// `start`, `stop`, `restart` or `kill`.
    pub action: String,
    /// How long to wait for another power action to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<i64>,
}

/// Body of `POST …/commands`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commands {
    /// Lines for the console.
    pub commands: Vec<String>,
}

/// What `GET …/logs` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Lines of the console; other daemons answer null for none.
    pub data: Option<Vec<String>>,
}

/// Body of `POST …/ws/deny`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyTokens {
    /// Ids of the tokens that must not be accepted any more.
    pub jtis: Vec<String>,
}

/// Body of `POST /api/deauthorize-user`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeauthorizeUser {
    /// Whose sessions end.
    pub user: UserUuid,
    /// On which servers; on all when empty.
    #[serde(default)]
    pub servers: Vec<ServerUuid>,
}

/// What `GET /api/system` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemInformation {
    /// Such as `amd64` or `arm64`.
    pub architecture: String,
    /// How many processors the machine has.
    pub cpu_count: usize,
    /// The kernel's release.
    pub kernel_version: String,
    /// Such as `linux`.
    pub os: String,
    /// The daemon's version.
    pub version: String,
}

/// What `GET /api/remote/servers/{uuid}/install` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallScript {
    /// The image in which it runs.
    pub container_image: String,
    /// The program that runs it.
    pub entrypoint: String,
    /// Its text; null when the egg has none.
    pub script: Option<String>,
}

/// Body of `POST /api/remote/servers/{uuid}/install`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallReport {
    /// Whether the installation ran to its end.
    pub successful: bool,
    /// Whether it was a reinstallation.
    #[serde(default)]
    pub reinstall: bool,
}
