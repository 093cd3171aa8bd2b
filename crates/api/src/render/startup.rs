//! How a server starts, as JSON.

use hatchery_app::startup::{self, HIDDEN, Placeholder};
use hatchery_store::{EggVariable as Variable, ServerSnapshot};
use hatchery_wire::client::{EggVariable, StartupCommands, StartupMeta};

/// The start command; values that the reader may not see stay hidden (client-api.md §4.1.2).
pub(crate) fn invocation(server: &ServerSnapshot, may_read: bool) -> String {
    let memory = server.limits.memory.get().to_string();
    let primary = server.primary_allocation();
    let ip = primary.map_or("", |allocation| &allocation.ip);
    let port = primary
        .map(|allocation| allocation.port.to_string())
        .unwrap_or_default();
    let built_in = [
        ("SERVER_MEMORY", memory.as_str()),
        ("SERVER_IP", ip),
        ("SERVER_PORT", &port),
    ];
    let built_in = built_in
        .into_iter()
        .map(|(name, value)| Placeholder { name, value });
    let variables = server.variables().map(|(variable, value)| Placeholder {
        name: &variable.env_variable,
        value: if may_read && variable.user_viewable {
            value.unwrap_or(&variable.default_value)
        } else {
            HIDDEN
        },
    });
    startup::invocation(&server.startup, built_in.chain(variables))
}

/// The variables that people may see.
pub(crate) fn variables(server: &ServerSnapshot) -> impl Iterator<Item = EggVariable> {
    server
        .variables()
        .filter(|(variable, _)| variable.user_viewable)
        .map(|(variable, value)| self::variable(variable, value.map(str::to_owned)))
}

/// A variable with the server's own value.
pub(crate) fn variable(variable: &Variable, value: Option<String>) -> EggVariable {
    EggVariable {
        name: variable.name.clone(),
        description: variable.description.clone(),
        env_variable: variable.env_variable.clone(),
        default_value: variable.default_value.clone(),
        server_value: value,
        is_editable: variable.user_editable,
        rules: variable.rules.clone(),
    }
}

/// What stands beside the list of variables.
pub(crate) fn meta(server: &ServerSnapshot) -> StartupMeta {
    let StartupCommands {
        startup_command,
        raw_startup_command,
    } = commands(server);
    let images = server.egg.egg.docker_images.iter().cloned();
    StartupMeta {
        startup_command,
        docker_images: images.collect(),
        raw_startup_command,
    }
}

/// What stands beside a variable that was changed.
pub(crate) fn commands(server: &ServerSnapshot) -> StartupCommands {
    StartupCommands {
        startup_command: invocation(server, true),
        raw_startup_command: server.startup.clone(),
    }
}
