//! From the panel's settings to what the runtime runs (node-protocol.md §5.9). Pure.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Component, Path, PathBuf};

use hatchery_node_proto::{Build, Environment, InstallScript, ServerSettings};
use hatchery_runtime::{BindMount, InstallSpec, InstanceSpec, PortBinding, ResourceLimits};
use hatchery_vocab::{CpuPercent, MiB, Port, Swap};
use serde_json::Value;

use crate::config::NodeConfig;

/// What a game runs as.
pub(super) fn instance(
    config: &NodeConfig,
    settings: &ServerSettings,
    host: IpAddr,
) -> InstanceSpec {
    InstanceSpec {
        server: settings.uuid,
        root: config.data.join(settings.uuid.to_string()),
        invocation: settings.invocation.clone(),
        environment: environment(config, settings, host),
        image: settings.container.image.clone(),
        limits: limits(config, &settings.build),
        ports: ports(settings),
        mounts: mounts(config, settings),
        labels: settings
            .labels
            .iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}

/// What an installation runs as. It gets at least the installer's limits (node-protocol.md §6).
pub(super) fn installation(
    config: &NodeConfig,
    settings: &ServerSettings,
    script: InstallScript,
    host: IpAddr,
) -> InstallSpec {
    let build = &settings.build;
    let cpu = match (build.cpu_limit, config.installer.cpu) {
        (0, _) | (_, 0) => 0,
        (server, floor) => server.max(floor),
    };
    let build = Build {
        memory_limit: build.memory_limit.max(config.installer.memory),
        cpu_limit: cpu,
        ..build.clone()
    };
    InstallSpec {
        server: settings.uuid,
        root: config.data.join(settings.uuid.to_string()),
        entrypoint: script.entrypoint,
        script: script.script.unwrap_or_default().replace("\r\n", "\n"),
        environment: environment(config, settings, host),
        image: script.container_image,
        limits: limits(config, &build),
    }
}

/// The bounds of a game.
pub(super) fn limits(config: &NodeConfig, build: &Build) -> ResourceLimits {
    ResourceLimits {
        memory: with_overhead(build.memory_limit),
        swap: match build.swap() {
            // Without a limit on memory there is nothing that swap could come on top of.
            _ if build.memory_limit == 0 => Swap::Unlimited,
            swap => swap,
        },
        cpu: CpuPercent::new(build.cpu_limit),
        threads: build.threads.clone().filter(|threads| !threads.is_empty()),
        io_weight: build.io_weight.clamp(10, 1000),
        pids: config.pid_limit,
        oom_kill_disabled: build.oom_disabled,
    }
}

/// Some more memory than was asked for, since what runs a game needs some too: the factors of the
/// reference.
fn with_overhead(memory: u64) -> MiB {
    let percent = match memory {
        0..=2048 => 115,
        2049..=4096 => 110,
        _ => 105,
    };
    MiB::new(memory.saturating_mul(percent) / 100)
}

/// The environment in its order; the first value of a name wins, so a variable cannot replace what
/// the node says.
fn environment(
    config: &NodeConfig,
    settings: &ServerSettings,
    host: IpAddr,
) -> Vec<(String, String)> {
    let address = &settings.allocations.default;
    let ip = match address.ip.parse::<IpAddr>() {
        Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)) => host.to_string(),
        _ => address.ip.clone(),
    };
    let mut environment = vec![
        ("TZ".to_owned(), config.timezone.clone()),
        ("STARTUP".to_owned(), settings.invocation.clone()),
        (
            "SERVER_MEMORY".to_owned(),
            settings.build.memory_limit.to_string(),
        ),
        ("SERVER_IP".to_owned(), ip),
        ("SERVER_PORT".to_owned(), address.port.to_string()),
    ];
    append(&mut environment, &settings.environment);
    environment
}

fn append(environment: &mut Vec<(String, String)>, variables: &Environment) {
    for (name, value) in variables {
        let name = name.to_uppercase();
        let is_sound = !name.is_empty() && !name.contains(['=', '\0']);
        if !is_sound || environment.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let value = match value {
            Value::String(text) => text.replace('\0', ""),
            Value::Bool(value) => value.to_string(),
            // The reference prints every number with six decimals; that is of use to nobody.
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        };
        environment.push((name, value));
    }
}

fn ports(settings: &ServerSettings) -> Vec<PortBinding> {
    let mut bindings = Vec::new();
    for (ip, ports) in &settings.allocations.mappings {
        let Ok(ip) = ip.parse() else {
            tracing::warn!(server = %settings.uuid, ip, "an allocation has no valid address and is left out");
            continue;
        };
        bindings.extend(
            ports
                .iter()
                .filter_map(|port| Port::new(*port))
                .map(|port| PortBinding { ip, port }),
        );
    }
    bindings
}

/// The mounts whose source lies beneath an allowed folder; the comparison goes by whole names and
/// not, as in the reference, by text.
fn mounts(config: &NodeConfig, settings: &ServerSettings) -> Vec<BindMount> {
    let allowed = |source: &Path| {
        config
            .allowed_mounts
            .iter()
            .any(|folder| source.starts_with(folder))
    };
    let mut mounts = Vec::new();
    for mount in &settings.mounts {
        let (source, target) = (PathBuf::from(&mount.source), PathBuf::from(&mount.target));
        let is_plain = |path: &Path| {
            path.is_absolute()
                && path
                    .components()
                    .all(|part| !matches!(part, Component::ParentDir | Component::CurDir))
        };
        if is_plain(&source) && is_plain(&target) && allowed(&source) {
            mounts.push(BindMount {
                source,
                target,
                read_only: mount.read_only,
            });
        } else {
            tracing::warn!(server = %settings.uuid, source = mount.source, "a mount is not allowed on this node");
        }
    }
    mounts
}

#[cfg(test)]
mod tests {
    use hatchery_node_proto::{Allocations, Container, DefaultAllocation, Mount, NodeToken};

    use super::*;

    fn settings() -> ServerSettings {
        ServerSettings {
            uuid: "f3f95466-7e8b-42a4-8504-6e7055874e39".parse().unwrap(),
            meta: hatchery_node_proto::Meta::default(),
            suspended: false,
            invocation: "run {{A}}".to_owned(),
            skip_egg_scripts: false,
            environment: Environment::new(),
            labels: None,
            allocations: Allocations {
                force_outgoing_ip: false,
                default: DefaultAllocation {
                    ip: "127.0.0.1".to_owned(),
                    port: 25565,
                },
                mappings: [
                    ("0.0.0.0".to_owned(), vec![25565, 0]),
                    ("nowhere".to_owned(), vec![1]),
                ]
                .into(),
            },
            build: Build {
                memory_limit: 1024,
                swap: 0,
                io_weight: 5,
                cpu_limit: 50,
                threads: Some(String::new()),
                disk_space: 0,
                oom_disabled: false,
            },
            crash_detection_enabled: None,
            mounts: Vec::new(),
            egg: hatchery_node_proto::Egg::default(),
            container: Container {
                image: "image".to_owned(),
            },
        }
    }

    fn config() -> NodeConfig {
        NodeConfig {
            allowed_mounts: vec!["/srv/maps".into()],
            ..NodeConfig::new(NodeToken::new("t"), "/data".into())
        }
    }

    const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(172, 18, 0, 1));

    #[test]
    fn the_environment_has_its_order_and_no_name_twice() {
        let mut settings = settings();
        for (name, value) in [
            ("startup", Value::from("mine")),
            ("Lower", Value::from("x")),
            ("NUMBER", Value::from(5)),
            ("FLAG", Value::from(true)),
            ("NOTHING", Value::Null),
            ("BAD=NAME", Value::from("x")),
        ] {
            settings.environment.insert(name.to_owned(), value);
        }
        let environment = instance(&config(), &settings, HOST).environment;
        let lines: Vec<_> = environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            lines,
            [
                "TZ=UTC",
                "STARTUP=run {{A}}",
                "SERVER_MEMORY=1024",
                "SERVER_IP=172.18.0.1",
                "SERVER_PORT=25565",
                "LOWER=x",
                "NUMBER=5",
                "FLAG=true",
                "NOTHING="
            ]
        );
    }

    #[test]
    fn limits_have_the_overhead_and_stay_in_range() {
        let spec = instance(&config(), &settings(), HOST);
        assert_eq!(spec.limits.memory, MiB::new(1177));
        assert_eq!(
            (spec.limits.io_weight, spec.limits.threads, spec.limits.pids),
            (10, None, 512)
        );
        assert_eq!(with_overhead(4096), MiB::new(4505));
        assert_eq!(with_overhead(0), MiB::new(0));
        assert_eq!(spec.ports.len(), 1);
        let script = InstallScript {
            container_image: "i".into(),
            entrypoint: "ash".into(),
            script: Some("a\r\nb".into()),
        };
        let install = installation(&config(), &settings(), script, HOST);
        assert_eq!(
            (install.limits.cpu.get(), install.script.as_str()),
            (100, "a\nb")
        );
    }

    #[test]
    fn mounts_lie_beneath_an_allowed_folder() {
        let mut settings = settings();
        for source in [
            "/srv/maps",
            "/srv/maps/a",
            "/srv/maps-of-others",
            "/srv/maps/../etc",
            "srv/maps",
            "/etc",
        ] {
            settings.mounts.push(Mount {
                source: source.to_owned(),
                target: "/maps".to_owned(),
                read_only: true,
            });
        }
        let mounts = instance(&config(), &settings, HOST).mounts;
        let sources: Vec<_> = mounts
            .iter()
            .map(|mount| mount.source.display().to_string())
            .collect();
        assert_eq!(sources, ["/srv/maps", "/srv/maps/a"]);
    }
}
