//! What a node is told about a server (node-protocol.md §2.5 and §5.9).

use std::collections::BTreeMap;

use hatchery_eggs::{ConfigFile, Startup, Stop};
use hatchery_node_proto::{
    Allocations, Build, ConfigurationFile, Container, DefaultAllocation, Egg, Environment, Meta,
    Mount, ProcessConfiguration, Replacement, ServerConfiguration, ServerSettings,
    StartupConfiguration, StopConfiguration, StopKind,
};
use hatchery_store::{ServerSnapshot, StoreError};
use hatchery_vocab::ServerStatus;
use serde_json::Value;

use super::placeholder;
use crate::Cx;

/// Everything that a node needs to run a server.
pub async fn configuration(
    cx: &Cx,
    server: &ServerSnapshot,
) -> Result<ServerConfiguration, StoreError> {
    let location = cx.store().location(server.node.location_id).await?;
    let location = location.map(|location| location.short).unwrap_or_default();
    let mounts = cx.store().mounts_of(server.id).await?;
    let mounts = mounts
        .into_iter()
        .map(|mount| Mount {
            source: mount.source,
            target: mount.target,
            read_only: mount.read_only,
        })
        .collect();
    Ok(build(server, &location, mounts))
}

fn build(server: &ServerSnapshot, location: &str, mounts: Vec<Mount>) -> ServerConfiguration {
    let settings = ServerSettings {
        uuid: server.uuid,
        meta: Meta {
            name: server.name.clone(),
            description: server.description.clone(),
        },
        suspended: server.status == Some(ServerStatus::Suspended),
        invocation: server.startup.clone(),
        // Nothing to run is as good as told to run nothing, and spares the node a sandbox.
        skip_egg_scripts: server.skip_scripts
            || server.egg.install_script().script.trim().is_empty(),
        environment: environment(server, location),
        labels: None,
        allocations: allocations(server),
        build: Build {
            memory_limit: server.limits.memory.get(),
            swap: server.limits.swap.to_wire(),
            io_weight: server.limits.io,
            cpu_limit: server.limits.cpu.get(),
            threads: server.limits.threads.clone(),
            disk_space: server.limits.disk.get(),
            oom_disabled: server.limits.oom_disabled,
        },
        crash_detection_enabled: None,
        mounts,
        egg: Egg {
            id: server.egg.egg.uuid.to_string(),
            file_denylist: server.egg.file_denylist().to_vec(),
        },
        container: Container {
            image: server.image.clone(),
        },
    };
    let process_configuration = process(server, &settings);
    ServerConfiguration {
        settings,
        process_configuration,
    }
}

/// The variables, then what the panel adds, which wins. Everything is text, since other daemons
/// write numbers in a form that no game expects.
fn environment(server: &ServerSnapshot, location: &str) -> Environment {
    let mut environment = Environment::new();
    for (variable, value) in server.variables() {
        let value = value.unwrap_or(&variable.default_value);
        environment.insert(variable.env_variable.clone(), Value::from(value));
    }
    let limit = server.feature_limits.allocations;
    let added = [
        ("STARTUP", Value::from(server.startup.as_str())),
        ("P_SERVER_LOCATION", Value::from(location)),
        ("P_SERVER_UUID", Value::from(server.uuid.to_string())),
        (
            "P_SERVER_ALLOCATION_LIMIT",
            limit.map_or(Value::Null, |limit| Value::from(limit.to_string())),
        ),
    ];
    environment.extend(added.map(|(name, value)| (name.to_owned(), value)));
    environment
}

fn allocations(server: &ServerSnapshot) -> Allocations {
    let primary = server.primary_allocation().map_or_else(
        || DefaultAllocation {
            ip: "127.0.0.1".to_owned(),
            port: 0,
        },
        |primary| DefaultAllocation {
            ip: primary.ip.clone(),
            port: primary.port.get(),
        },
    );
    let mut mappings: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for allocation in server
        .allocations
        .iter()
        .filter(|allocation| allocation.node_id == server.node.id)
    {
        mappings
            .entry(allocation.ip.clone())
            .or_default()
            .push(allocation.port.get());
    }
    Allocations {
        force_outgoing_ip: server.egg.egg.force_outgoing_ip,
        default: primary,
        mappings,
    }
}

/// What cannot be read in a stored egg was told when the egg was imported.
fn process(server: &ServerSnapshot, settings: &ServerSettings) -> ProcessConfiguration {
    let mut told_before = Vec::new();
    let startup = Startup::read(server.egg.config_startup(), &mut told_before);
    let files = ConfigFile::read(server.egg.config_files(), &mut told_before);
    ProcessConfiguration {
        startup: StartupConfiguration {
            done: startup.done,
            user_interaction: Vec::new(),
            strip_ansi: startup.strip_ansi,
        },
        stop: stop(server.egg.config_stop().unwrap_or_default()),
        configs: files
            .into_iter()
            .map(|file| configuration_file(file, server, settings))
            .collect(),
    }
}

/// Without a word about stopping, the container's own way is the gentlest.
fn stop(text: &str) -> StopConfiguration {
    match Stop::parse(text).0 {
        Stop::Command(line) if line.is_empty() => StopConfiguration {
            kind: StopKind::Stop,
            value: None,
        },
        Stop::Command(line) => StopConfiguration {
            kind: StopKind::Command,
            value: Some(line),
        },
        Stop::Signal(signal) => StopConfiguration {
            kind: StopKind::Signal,
            value: Some(signal.wire().to_owned()),
        },
    }
}

fn configuration_file(
    file: ConfigFile,
    server: &ServerSnapshot,
    settings: &ServerSettings,
) -> ConfigurationFile {
    let replace = file.find.into_iter().map(|find| Replacement {
        r#match: find.path,
        if_value: find.if_value,
        replace_with: match find.value {
            Value::String(text) => Value::String(placeholder::resolve(&text, server, settings)),
            other => other,
        },
    });
    ConfigurationFile {
        parser: file.parser,
        file: file.file,
        replace: replace.collect(),
    }
}
