//! The placeholders that the panel resolves in replacements: a closed list (node-protocol.md §2.5),
//! in the names of both families of eggs (eggs.md §4.1).

use hatchery_node_proto::ServerSettings;
use hatchery_store::ServerSnapshot;
use serde_json::Value;

/// Resolves `{{server.…}}` and `{{env.…}}`; unknown names of theirs become nothing. `{{config.…}}`
/// is left to the node, anything else is no placeholder. What is put in is not looked at again.
pub(super) fn resolve(text: &str, server: &ServerSnapshot, settings: &ServerSettings) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let inner = &rest[start + 2..];
        let end = inner
            .find(|char: char| !char.is_ascii_alphanumeric() && !matches!(char, '_' | '.' | '-'));
        let closed = end.filter(|end| inner[*end..].starts_with("}}"));
        let Some(end) = closed else {
            out.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
            continue;
        };
        out.push_str(&rest[..start]);
        match replacement(&inner[..end], server, settings) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[start..start + 2 + end + 2]),
        }
        rest = &inner[end + 2..];
    }
    out.push_str(rest);
    out
}

fn replacement(name: &str, server: &ServerSnapshot, settings: &ServerSettings) -> Option<String> {
    if let Some(path) = name.strip_prefix("server.") {
        return Some(server_value(path, server, settings).unwrap_or_default());
    }
    if let Some(variable) = name.strip_prefix("env.") {
        return Some(variable_value(variable, settings).unwrap_or_default());
    }
    (name == "config.docker.interface").then(|| "{{config.docker.network.interface}}".to_owned())
}

fn server_value(path: &str, server: &ServerSnapshot, settings: &ServerSettings) -> Option<String> {
    if let Some(variable) = path
        .strip_prefix("build.env.")
        .or_else(|| path.strip_prefix("environment."))
    {
        return variable_value(variable, settings);
    }
    if let Some(ip) = path
        .strip_prefix("build.ports.")
        .or_else(|| path.strip_prefix("allocations.mappings."))
    {
        let ports = settings.allocations.mappings.get(ip)?;
        return Some(
            ports
                .iter()
                .map(u16::to_string)
                .collect::<Vec<_>>()
                .join(","),
        );
    }
    let build = &settings.build;
    let allocation = &settings.allocations.default;
    Some(match path {
        "uuid" => settings.uuid.to_string(),
        "meta.name" | "name" => settings.meta.name.clone(),
        "meta.description" => settings.meta.description.clone(),
        "build.default.ip" | "allocations.default.ip" => allocation.ip.clone(),
        "build.default.port" | "allocations.default.port" => allocation.port.to_string(),
        "build.memory" | "build.memory_limit" => build.memory_limit.to_string(),
        "build.swap" => build.swap.to_string(),
        "build.io" | "build.io_weight" => build.io_weight.to_string(),
        "build.cpu" | "build.cpu_limit" => build.cpu_limit.to_string(),
        "build.threads" => build.threads.clone().unwrap_or_default(),
        "build.disk" | "build.disk_space" => build.disk_space.to_string(),
        "build.oom_disabled" => u8::from(build.oom_disabled).to_string(),
        "build.image" | "container.image" => settings.container.image.clone(),
        "service.egg" | "egg.id" => server.egg.egg.uuid.to_string(),
        "service.skip_scripts" | "skip_egg_scripts" => {
            u8::from(settings.skip_egg_scripts).to_string()
        }
        "rebuild" => "0".to_owned(),
        "suspended" => u8::from(settings.suspended).to_string(),
        _ => return None,
    })
}

fn variable_value(name: &str, settings: &ServerSettings) -> Option<String> {
    match name {
        // The node sets these three; the reference sends an unresolved placeholder here.
        "SERVER_MEMORY" => Some(settings.build.memory_limit.to_string()),
        "SERVER_IP" => Some(settings.allocations.default.ip.clone()),
        "SERVER_PORT" => Some(settings.allocations.default.port.to_string()),
        _ => match settings.environment.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        },
    }
}
