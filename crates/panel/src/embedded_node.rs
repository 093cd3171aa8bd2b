//! The node inside this program: its row in the database, made at the first start.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hatchery_app::Cx;
use hatchery_config::Settings;
use hatchery_store::{NewNode, Node, Secret, StoreError};
use hatchery_vocab::{MiB, NodeUuid, Port};

/// Lengths of the two halves of a node's token (client-api.md §6.1).
const TOKEN_ID: usize = 16;
const TOKEN: usize = 64;
const LOCATION: &str = "local";
const NAME: &str = "This machine";
/// What is noted for a panel that will listen on any port, until it does.
const UNDECIDED_PORT: u16 = 8080;
/// The port that clients use for SFTP.
const SFTP: u16 = 2022;
/// How many times the memory and disk there is may be promised, in percent on top; −1 is no limit.
const NO_LIMIT: i64 = -1;

/// The embedded node's row, made with its location and allocations when it is missing.
pub(crate) async fn ensure(
    cx: &Cx,
    settings: &Settings,
    volumes: &Path,
    address: &Address,
) -> Result<Arc<Node>, StoreError> {
    if let Some(node) = cx.store().embedded_node().await? {
        return Ok(node);
    }
    let location = cx.store().location_by_short(LOCATION).await?;
    let mut tx = cx.store().begin().await?;
    let location_id = match location {
        Some(location) => location.id,
        None => tx.create_location(LOCATION, None).await?,
    };
    let port = address.port()?;
    let node = tx
        .create_node(&NewNode {
            uuid: NodeUuid::new(cx.entropy().uuid()),
            location_id,
            name: NAME.to_owned(),
            description: None,
            embedded: true,
            public: true,
            fqdn: address.host.clone(),
            scheme: address.scheme.to_owned(),
            behind_proxy: false,
            maintenance_mode: false,
            memory: settings.node.memory,
            memory_overallocate: overallocation(settings.node.memory),
            disk: settings.node.disk,
            disk_overallocate: overallocation(settings.node.disk),
            upload_size: settings.node.upload_limit,
            daemon_base: volumes.display().to_string(),
            daemon_listen: port,
            daemon_sftp: Port::new(SFTP).unwrap_or(port),
            daemon_token_id: cx.entropy().alphanumeric(TOKEN_ID),
            daemon_token: Secret::new(cx.entropy().alphanumeric(TOKEN)),
        })
        .await?;
    let ip = settings.node.address.to_string();
    for range in settings.node.ports.ranges() {
        tx.create_allocations(node, &ip, None, range.first, range.last)
            .await?;
    }
    tx.commit().await?;
    match cx.store().embedded_node().await? {
        Some(node) => Ok(node),
        None => Err(StoreError::Corrupt(
            "the embedded node's row vanished".to_owned(),
        )),
    }
}

/// Notes where browsers find the node, which is where they find the panel; it may be another port
/// than last time.
pub(crate) async fn announce(cx: &Cx, node: &Node, address: &Address) -> Result<(), StoreError> {
    let port = address.port()?;
    if (node.scheme.as_str(), node.fqdn.as_str(), node.daemon_listen)
        == (address.scheme, address.host.as_str(), port)
    {
        return Ok(());
    }
    let mut tx = cx.store().begin().await?;
    tx.set_node_address(
        node.id,
        address.scheme,
        &address.host,
        port,
        node.daemon_sftp,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Zero in the settings means what there is, without counting.
const fn overallocation(limit: MiB) -> i64 {
    if limit.get() == 0 { NO_LIMIT } else { 0 }
}

/// How browsers reach the panel, and so its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    scheme: &'static str,
    host: String,
    port: u16,
}

impl Address {
    /// From the configured URL, else from where the panel listens.
    pub(crate) fn of(settings: &Settings, listening: SocketAddr) -> Self {
        let url = settings.url.as_ref();
        let url = url.and_then(|url| url.as_str().parse::<axum::http::Uri>().ok());
        let authority = url.as_ref().and_then(axum::http::Uri::authority);
        let https = url.as_ref().and_then(axum::http::Uri::scheme_str) == Some("https");
        let scheme = if https { "https" } else { "http" };
        let (host, port) = match authority {
            Some(authority) => {
                let usual = if https { 443 } else { 80 };
                (
                    authority.host().to_owned(),
                    authority.port_u16().unwrap_or(usual),
                )
            }
            None => (reachable(listening), listening.port()),
        };
        // A command that runs before the first panel does not know a port that is picked at start.
        let port = if port == 0 { UNDECIDED_PORT } else { port };
        Self { scheme, host, port }
    }

    fn port(&self) -> Result<Port, StoreError> {
        Port::new(self.port)
            .ok_or_else(|| StoreError::Corrupt("the panel's address has port 0".to_owned()))
    }

    /// The address as one clicks it.
    pub(crate) fn url(&self) -> String {
        let usual = if self.scheme == "https" { 443 } else { 80 };
        if self.port == usual {
            format!("{}://{}", self.scheme, self.host)
        } else {
            format!("{}://{}:{}", self.scheme, self.host, self.port)
        }
    }
}

/// A host by which this machine itself reaches the listener; in brackets if it is IPv6.
fn reachable(listening: SocketAddr) -> String {
    match listening.ip() {
        ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use hatchery_config::{Layers, Origin, Setting};

    use super::*;

    #[test]
    fn the_address_is_the_configured_one_or_where_the_panel_listens() {
        let plain = Settings::from_layers(&Layers::default()).unwrap();
        for (url, listening, expected) in [
            (None, "127.0.0.1:8080", "http://127.0.0.1:8080"),
            (None, "0.0.0.0:8080", "http://127.0.0.1:8080"),
            (None, "[::1]:80", "http://[::1]"),
            (
                Some("https://panel.example.com"),
                "127.0.0.1:8080",
                "https://panel.example.com",
            ),
            (
                Some("https://panel.example.com:8443/"),
                "127.0.0.1:8080",
                "https://panel.example.com:8443",
            ),
            (
                Some("http://[2001:db8::1]:8080"),
                "127.0.0.1:9",
                "http://[2001:db8::1]:8080",
            ),
        ] {
            let settings = Settings {
                url: url.map(|url| Origin::read(url).unwrap()),
                ..plain.clone()
            };
            assert_eq!(
                Address::of(&settings, listening.parse().unwrap()).url(),
                expected,
                "{url:?}"
            );
        }
    }
}
