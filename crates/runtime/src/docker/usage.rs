//! What a container uses, from the engine's numbers (node-protocol.md §12).

use std::collections::HashMap;

use serde::Deserialize;

use crate::Usage;

/// The engine's sample. Fields are missing where the kernel does not count.
#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    #[serde(default)]
    cpu_stats: CpuStats,
    #[serde(default)]
    memory_stats: MemoryStats,
    #[serde(default)]
    networks: HashMap<String, NetworkStats>,
}

#[derive(Debug, Default, Deserialize)]
struct CpuStats {
    #[serde(default)]
    cpu_usage: CpuUsage,
}

#[derive(Debug, Default, Deserialize)]
struct CpuUsage {
    #[serde(default)]
    total_usage: u64,
}

#[derive(Debug, Default, Deserialize)]
struct MemoryStats {
    #[serde(default)]
    usage: u64,
    #[serde(default)]
    stats: MemoryDetails,
}

#[derive(Debug, Default, Deserialize)]
struct MemoryDetails {
    /// Control groups v1.
    total_inactive_file: Option<u64>,
    /// Control groups v2.
    inactive_file: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct NetworkStats {
    #[serde(default)]
    rx_bytes: u64,
    #[serde(default)]
    tx_bytes: u64,
}

impl Sample {
    /// A container that does not run has used nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.cpu_stats.cpu_usage.total_usage == 0 && self.memory_stats.usage == 0
    }

    pub(super) fn usage(&self, memory_limit_bytes: u64) -> Usage {
        let MemoryStats { usage, stats } = &self.memory_stats;
        let cache = [stats.total_inactive_file, stats.inactive_file];
        let cache = cache
            .into_iter()
            .flatten()
            .find(|cache| cache < usage)
            .unwrap_or(0);
        let sum = |field: fn(&NetworkStats) -> u64| {
            self.networks
                .values()
                .map(field)
                .fold(0, u64::saturating_add)
        };
        Usage {
            memory_bytes: usage - cache,
            memory_limit_bytes,
            cpu_nanos: self.cpu_stats.cpu_usage.total_usage,
            network_rx_bytes: sum(|network| network.rx_bytes),
            network_tx_bytes: sum(|network| network.tx_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(text: &str) -> Usage {
        serde_json::from_str::<Sample>(text).unwrap().usage(7)
    }

    #[test]
    fn the_page_cache_that_can_go_is_left_out() {
        let v1 = usage(
            r#"{"cpu_stats":{"cpu_usage":{"total_usage":5,"percpu_usage":[5]}},
            "memory_stats":{"usage":100,"stats":{"total_inactive_file":30,"inactive_file":1}},
            "networks":{"eth0":{"rx_bytes":1,"tx_bytes":2},"eth1":{"rx_bytes":10,"tx_bytes":20}}}"#,
        );
        let expected = Usage {
            memory_bytes: 70,
            memory_limit_bytes: 7,
            cpu_nanos: 5,
            network_rx_bytes: 11,
            network_tx_bytes: 22,
        };
        assert_eq!(v1, expected);
        assert_eq!(
            usage(r#"{"memory_stats":{"usage":100,"stats":{"inactive_file":40}}}"#).memory_bytes,
            60
        );
        assert_eq!(
            usage(r#"{"memory_stats":{"usage":100,"stats":{"inactive_file":400}}}"#).memory_bytes,
            100
        );
        assert!(
            serde_json::from_str::<Sample>(r#"{"memory_stats":{}}"#)
                .unwrap()
                .is_empty()
        );
    }
}
