//! Settings of the container runtime, with the defaults of node-protocol.md §1.1.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// How to reach the engine, and what all containers have in common.
#[derive(Clone, Debug)]
pub struct DockerConfig {
    /// The socket of Docker or of Podman's service for Docker clients.
    pub socket: PathBuf,
    /// What tells this node's containers from those of others at the same engine, such as the path
    /// of its data folder. Only containers that carry it are ever found again.
    pub node: String,
    /// User and group inside the containers, to whom the servers' folders are given.
    pub user: (u32, u32),
    /// The network of all containers.
    pub network: NetworkConfig,
    /// The domain name of all containers; empty for none.
    pub domainname: String,
    /// Who may pull where.
    pub registries: Vec<Registry>,
    /// The size of `/tmp` in MiB.
    pub tmpfs_mib: u32,
    /// The engine's `UsernsMode`; empty for its default.
    pub userns_mode: String,
    /// The engine's log driver; empty for its default.
    pub log_driver: String,
    /// Options of the log driver.
    pub log_options: Vec<(String, String)>,
}

/// The network of all containers. It is created when the engine does not have it.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// Its name.
    pub name: String,
    /// The `NetworkMode` of containers, usually the same name.
    pub mode: String,
    /// The driver of a network that is created.
    pub driver: String,
    /// The host's address in the network, until the engine tells a better one.
    pub interface: IpAddr,
    /// Name servers of the containers.
    pub dns: Vec<IpAddr>,
    /// Leave out bindings to 127.0.0.1 instead of binding them to `interface`.
    pub ispn: bool,
    /// Whether containers are kept from the outside world.
    pub is_internal: bool,
    /// Whether containers reach each other.
    pub enable_icc: bool,
    /// The largest packet in bytes.
    pub mtu: u32,
    /// Subnet and gateway; without them the engine chooses.
    pub v4: Option<Subnet>,
    /// The same for IPv6; without them the network has none.
    pub v6: Option<Subnet>,
}

/// A subnet in CIDR notation and the host's address in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Such as `172.18.0.0/16`.
    pub subnet: String,
    /// Such as `172.18.0.1`.
    pub gateway: String,
}

/// Credentials for images whose name starts with a prefix.
#[derive(Clone)]
pub struct Registry {
    /// The start of the image's name.
    pub prefix: String,
    /// The user.
    pub username: String,
    /// The password, which never appears in `Debug` output.
    pub password: String,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl DockerConfig {
    /// The defaults for an engine at this socket.
    pub fn new(socket: PathBuf, node: String, user: (u32, u32)) -> Self {
        let options = [
            ("max-size", "5m"),
            ("max-file", "1"),
            ("compress", "false"),
            ("mode", "non-blocking"),
        ];
        Self {
            socket,
            node,
            user,
            network: NetworkConfig::default(),
            domainname: String::new(),
            registries: Vec::new(),
            tmpfs_mib: 100,
            userns_mode: String::new(),
            log_driver: "local".to_owned(),
            log_options: options
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
        }
    }
}

impl Default for NetworkConfig {
    fn default() -> Self {
        let subnet = |subnet: &str, gateway: &str| {
            Some(Subnet {
                subnet: subnet.to_owned(),
                gateway: gateway.to_owned(),
            })
        };
        Self {
            name: "pterodactyl_nw".to_owned(),
            mode: "pterodactyl_nw".to_owned(),
            driver: "bridge".to_owned(),
            interface: IpAddr::V4(Ipv4Addr::new(172, 18, 0, 1)),
            dns: vec![
                IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)),
                IpAddr::V4(Ipv4Addr::new(1, 0, 0, 1)),
            ],
            ispn: false,
            is_internal: false,
            enable_icc: true,
            mtu: 1500,
            v4: subnet("172.18.0.0/16", "172.18.0.1"),
            v6: subnet("fdba:17c8:6c94::/64", "fdba:17c8:6c94::1011"),
        }
    }
}
