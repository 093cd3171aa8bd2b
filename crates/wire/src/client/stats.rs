//! What a server uses right now (client-api.md §4.12).

use serde::Serialize;

crate::resources! { Stats: "stats", }

/// State and use of a server.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stats {
    /// `offline`, `starting`, `running` or `stopping`.
    pub current_state: String,
    /// Whether the node holds the server as suspended.
    pub is_suspended: bool,
    /// What it uses.
    pub resources: StatsResources,
}

/// What a server uses.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StatsResources {
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Per cent of one core.
    pub cpu_absolute: f64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Bytes received since start.
    pub network_rx_bytes: u64,
    /// Bytes sent since start.
    pub network_tx_bytes: u64,
    /// Milliseconds since start.
    pub uptime: u64,
}
