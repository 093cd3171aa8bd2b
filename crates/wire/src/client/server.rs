//! Servers and what belongs to them (client-api.md §4.1, §4.9, §4.10).

use serde::Serialize;

use super::PublicUser;
use crate::{Included, Item, List};

crate::resources! {
    Server: "server",
    Allocation: "allocation",
    EggVariable: "egg_variable",
    Egg: "egg",
    Subuser: "server_subuser",
}

/// A game server.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Server {
    /// Whether the caller owns it.
    pub server_owner: bool,
    /// The first eight characters of the UUID.
    pub identifier: String,
    /// Row id.
    pub internal_id: i64,
    /// Public id.
    pub uuid: String,
    /// Name.
    pub name: String,
    /// Name of the machine that it runs on.
    pub node: String,
    /// Whether that machine is under maintenance.
    pub is_node_under_maintenance: bool,
    /// Where to connect by SFTP.
    pub sftp_details: SftpDetails,
    /// Description, perhaps empty.
    pub description: String,
    /// What it may use.
    pub limits: ServerLimits,
    /// The command that starts it.
    pub invocation: String,
    /// The image in which it runs.
    pub docker_image: String,
    /// What its egg says about the web page's helpers.
    pub egg_features: Option<Vec<String>>,
    /// How many of each thing it may have.
    pub feature_limits: FeatureLimits,
    /// Null for an ordinary server; never its power state.
    pub status: Option<&'static str>,
    /// Deprecated: see `status`.
    pub is_suspended: bool,
    /// Deprecated: see `status`.
    pub is_installing: bool,
    /// Whether it is on its way to another machine.
    pub is_transferring: bool,
    /// What belongs to it.
    pub relationships: ServerRelationships,
}

/// Where to connect by SFTP.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SftpDetails {
    /// Host name.
    pub ip: String,
    /// Port.
    pub port: u16,
}

/// What a server may use.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServerLimits {
    /// Mebibytes of memory; 0 is unlimited.
    pub memory: u64,
    /// Mebibytes of swap; −1 is unlimited.
    pub swap: i64,
    /// Mebibytes on disk; 0 is unlimited.
    pub disk: u64,
    /// Weight of its input and output, 10 to 1000.
    pub io: u16,
    /// Per cent of one core; 0 is unlimited.
    pub cpu: u32,
    /// Which cores, such as `0,2-3`.
    pub threads: Option<String>,
    /// Whether the system may not end it when memory runs out.
    pub oom_disabled: bool,
}

/// How many of each thing a server may have.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FeatureLimits {
    /// Databases; null is unlimited.
    pub databases: Option<u32>,
    /// Allocations.
    pub allocations: Option<u32>,
    /// Backups; 0 is none.
    pub backups: u32,
}

/// What belongs to a server, as far as the caller may see it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServerRelationships {
    /// All allocations, or the primary one alone.
    pub allocations: List<Allocation>,
    /// The variables that people may see.
    pub variables: Included<List<EggVariable>>,
    /// With `include=egg`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egg: Option<Item<Egg>>,
    /// With `include=subusers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subusers: Option<Included<List<Subuser>>>,
}

/// Beside a single server.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServerMeta {
    /// Whether the caller owns it.
    pub is_server_owner: bool,
    /// What the caller may do; `*` is everything.
    pub user_permissions: Vec<String>,
}

/// An address and port of a server.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Allocation {
    /// Row id.
    pub id: i64,
    /// Address.
    pub ip: String,
    /// Name that people may use instead.
    pub ip_alias: Option<String>,
    /// Port.
    pub port: u16,
    /// Remarks.
    pub notes: Option<String>,
    /// Whether it is the primary one.
    pub is_default: bool,
}

/// A typed setting of a server.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EggVariable {
    /// Name for people.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Name of the environment variable.
    pub env_variable: String,
    /// The egg's value.
    pub default_value: String,
    /// The server's value; null when the server never had one.
    pub server_value: Option<String>,
    /// Whether people may change it.
    pub is_editable: bool,
    /// The rules of its value, separated by `|`.
    pub rules: String,
}

/// The template of a server.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Egg {
    /// Public id.
    pub uuid: String,
    /// Name.
    pub name: String,
}

/// Another person who may use a server.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Subuser {
    /// The person.
    #[serde(flatten)]
    pub user: PublicUser,
    /// What they may do.
    pub permissions: Vec<String>,
}

/// How to open a server's console.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WebsocketCredentials {
    /// Sent as the first message.
    pub token: String,
    /// Address of the socket.
    pub socket: String,
}
