//! The node's settings, with the defaults of node-protocol.md §1.1.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use hatchery_node_proto::NodeToken;

/// What a node needs to know about its machine and its panel.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The secret shared with the panel: bearer of its calls, key of its tokens.
    pub token: NodeToken,
    /// The folder that holds one folder per server.
    pub data: PathBuf,
    /// The folder that holds the archives of backups.
    pub backups: PathBuf,
    /// Hosts from which backups may be fetched although they are in a private network.
    pub backup_hosts: Vec<String>,
    /// Hosts from which files may be fetched for servers although they are in a private network.
    pub pull_hosts: Vec<String>,
    /// The name in front of the daemon's own console lines.
    pub app_name: String,
    /// Origins besides the node's own from which a browser may open a WebSocket; `*` allows all.
    pub allowed_origins: Vec<String>,
    /// Folders of the machine beneath which a server's mounts may lie.
    pub allowed_mounts: Vec<PathBuf>,
    /// The time zone that servers see.
    pub timezone: String,
    /// The largest file that an upload link takes, in MiB.
    pub upload_limit_mib: u64,
    /// How long a measurement of a server's disk usage holds at most; while the server runs it is
    /// repeated earlier where that is cheap.
    pub disk_check_interval: Duration,
    /// The most processes of one server.
    pub pid_limit: u32,
    /// What to do when a server ends by itself.
    pub crash: CrashConfig,
    /// Bounds of the WebSockets.
    pub sockets: SocketLimits,
    /// How often activity is handed to the panel.
    pub activity_interval: Duration,
    /// Floors for installations.
    pub installer: InstallerLimits,
}

/// What to do when a server ends by itself (node-protocol.md §5.6).
#[derive(Clone, Copy, Debug)]
pub struct CrashConfig {
    /// Whether servers that say nothing about it are restarted.
    pub enabled: bool,
    /// Whether an exit with code 0 that nobody asked for counts.
    pub detect_clean_exit: bool,
    /// A second crash within this time is not restarted; zero always restarts.
    pub window: Duration,
}

/// Bounds of the WebSockets (security.md, CVE-2025-69199).
#[derive(Clone, Copy, Debug)]
pub struct SocketLimits {
    /// Open sockets of one user, over all servers. One user cannot shut out another.
    pub per_user: usize,
    /// Open sockets of one server.
    pub per_server: usize,
    /// Open sockets of one server whose users are not known yet, so that strangers cannot shut out
    /// people.
    pub unknown_per_server: usize,
    /// Open sockets of one address; of IPv6, of one network of 64 bits.
    pub per_address: usize,
    /// How long a socket may stay without a valid token.
    pub auth_deadline: Duration,
    /// How long one frame may take to send before its reader is dropped.
    pub send_deadline: Duration,
}

/// The least that an installation may use.
#[derive(Clone, Copy, Debug)]
pub struct InstallerLimits {
    /// Memory in MiB.
    pub memory: u64,
    /// Percent of one core; zero for unlimited.
    pub cpu: u32,
}

impl NodeConfig {
    /// The defaults for a node with this secret and this folder.
    pub fn new(token: NodeToken, data: PathBuf) -> Self {
        Self {
            token,
            // No server is called so.
            backups: data.join(".backups"),
            backup_hosts: Vec::new(),
            pull_hosts: Vec::new(),
            data,
            app_name: "Hatchery".to_owned(),
            allowed_origins: Vec::new(),
            allowed_mounts: Vec::new(),
            timezone: "UTC".to_owned(),
            upload_limit_mib: 100,
            disk_check_interval: Duration::from_secs(150),
            pid_limit: 512,
            crash: CrashConfig {
                enabled: true,
                detect_clean_exit: true,
                window: Duration::from_mins(1),
            },
            sockets: SocketLimits {
                per_user: 30,
                per_server: 500,
                unknown_per_server: 100,
                per_address: 100,
                auth_deadline: Duration::from_secs(10),
                send_deadline: Duration::from_secs(10),
            },
            activity_interval: Duration::from_secs(10),
            installer: InstallerLimits {
                memory: 1024,
                cpu: 100,
            },
        }
    }
}

/// The address of the client behind a request, put among its extensions by whoever knows of
/// trusted proxies. Where it is missing, the connection's own address counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);
