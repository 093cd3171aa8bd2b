//! The network of all containers.

use std::net::{IpAddr, Ipv4Addr};

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::{NetworkConfig, Subnet};
use super::engine::{Engine, EngineError, NOTHING, encode};

/// What we want to know of a network.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    id: String,
    name: String,
    /// In RFC 3339.
    #[serde(default)]
    created: String,
    #[serde(default)]
    driver: String,
    #[serde(rename = "IPAM", default)]
    ipam: Ipam,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam {
    #[serde(default)]
    config: Option<Vec<Range>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    #[serde(default)]
    gateway: String,
}

/// Creates the network where it is missing, and returns the host's address in it.
pub(super) async fn ensure(engine: &Engine, config: &NetworkConfig) -> Result<IpAddr, EngineError> {
    let mut networks = find(engine, config).await?;
    if networks.is_empty() {
        create(engine, config).await?;
        networks = find(engine, config).await?;
    }
    let mut networks = networks.into_iter();
    let network = networks
        .next()
        .ok_or_else(|| EngineError::Malformed("the new network is not there".to_owned()))?;
    // Engines let two that create at once have a network each, and then know neither by its name.
    // Everybody keeps the oldest; what another one still uses is not deleted.
    for twin in networks {
        let path = format!("/networks/{}", encode(&twin.id));
        if let Err(error) = engine.tell(Method::DELETE, &path, NOTHING).await {
            tracing::debug!(network = twin.id, %error, "a second network of the name stays");
        }
    }
    Ok(interface(config, &network))
}

/// All networks of exactly this name, the oldest first.
async fn find(engine: &Engine, config: &NetworkConfig) -> Result<Vec<Network>, EngineError> {
    let filters = json!({"name": [config.name]}).to_string();
    let path = format!("/networks?filters={}", encode(&filters));
    let mut networks: Vec<Network> = engine.ask(Method::GET, &path, NOTHING).await?;
    networks.retain(|network| network.name == config.name);
    networks.sort_by(|one, other| (&one.created, &one.id).cmp(&(&other.created, &other.id)));
    Ok(networks)
}

fn interface(config: &NetworkConfig, network: &Network) -> IpAddr {
    if network.driver == "host" {
        return IpAddr::V4(Ipv4Addr::LOCALHOST);
    }
    let gateways = network.ipam.config.iter().flatten();
    let mut v4 = gateways
        .filter_map(|range| range.gateway.parse().ok())
        .filter(IpAddr::is_ipv4);
    v4.next().unwrap_or(config.interface)
}

/// Tries what is configured, then without IPv6, then with addresses of the engine's own choice:
/// not every machine has IPv6, and another network may have taken the subnet.
async fn create(engine: &Engine, config: &NetworkConfig) -> Result<(), EngineError> {
    let plans = [
        (config.v4.as_ref(), config.v6.as_ref()),
        (config.v4.as_ref(), None),
        (None, None),
    ];
    let mut outcome = Ok(());
    for (v4, v6) in plans {
        outcome = engine
            .tell(
                Method::POST,
                "/networks/create",
                Some(&request(config, v4, v6)),
            )
            .await;
        match &outcome {
            Ok(()) => return Ok(()),
            // Somebody else was faster.
            Err(error) if error.has_status(StatusCode::CONFLICT) => return Ok(()),
            Err(error @ EngineError::Refused { .. }) => {
                tracing::warn!(network = config.name, %error, "the network could not be created like this");
            }
            Err(_) => return outcome,
        }
    }
    outcome
}

fn request(config: &NetworkConfig, v4: Option<&Subnet>, v6: Option<&Subnet>) -> Value {
    let ranges: Vec<_> = [v4, v6]
        .into_iter()
        .flatten()
        .map(|range| json!({"Subnet": range.subnet, "Gateway": range.gateway}))
        .collect();
    json!({
        "Name": config.name,
        "CheckDuplicate": true,
        "Driver": config.driver,
        "EnableIPv6": v6.is_some(),
        "Internal": config.is_internal,
        "IPAM": {"Config": ranges},
        "Options": {
            "encryption": "false",
            "com.docker.network.bridge.default_bridge": "false",
            "com.docker.network.bridge.enable_icc": config.enable_icc.to_string(),
            "com.docker.network.bridge.enable_ip_masquerade": "true",
            "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
            "com.docker.network.driver.mtu": config.mtu.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_s_address_is_the_gateway() {
        let config = NetworkConfig::default();
        let read = |text: &str| {
            let mut network: Value = serde_json::from_str(text).unwrap();
            (network["Id"], network["Name"]) = (json!("1"), json!("n"));
            interface(&config, &serde_json::from_value(network).unwrap())
        };
        let both = r#"{"Driver":"bridge","IPAM":{"Config":[{"Gateway":"fd00::1"},{"Gateway":"10.1.0.1"}]}}"#;
        assert_eq!(read(both).to_string(), "10.1.0.1");
        assert_eq!(
            read(r#"{"Driver":"host","IPAM":{"Config":null}}"#).to_string(),
            "127.0.0.1"
        );
        assert_eq!(
            read(r#"{"Driver":"bridge","IPAM":{"Config":[]}}"#).to_string(),
            "172.18.0.1"
        );
    }
}
