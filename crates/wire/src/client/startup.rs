//! How a server starts (client-api.md §3.11).

use serde::Serialize;

use crate::OrderedMap;

/// Beside the list of a server's variables.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StartupMeta {
    /// The command with its placeholders replaced.
    pub startup_command: String,
    /// The images that the egg offers, by their labels.
    #[cfg_attr(feature = "schema", schema(value_type = std::collections::BTreeMap<String, String>))]
    pub docker_images: OrderedMap<String>,
    /// The command as it is stored.
    pub raw_startup_command: String,
}

/// Beside a variable that was just changed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StartupCommands {
    /// The command with its placeholders replaced.
    pub startup_command: String,
    /// The command as it is stored.
    pub raw_startup_command: String,
}
