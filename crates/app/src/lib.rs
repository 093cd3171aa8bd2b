//! What people can do with Hatchery: one module per noun, one function per verb.
//!
//! A verb takes the context ([`Cx`]), then proof of who may do it (an [`Actor`], or an
//! [`access::Access`] whose type names the permission), then what it needs. It decides, calls the
//! store or a node, and records what was done. It knows neither HTTP nor SQL.

pub mod access;
pub mod account;
pub mod activity;
pub mod actor;
pub mod allocations;
pub mod api_keys;
pub mod backups;
pub mod console;
mod context;
pub mod databases;
mod detached;
pub mod eggs;
pub mod files;
pub mod first_admin;
pub mod links;
mod node_call;
mod nodes;
pub mod password_resets;
pub mod remote;
pub mod resources;
pub mod revocation;
pub mod schedules;
pub mod servers;
pub mod sessions;
mod settings;
pub mod sign_in;
pub mod ssh_keys;
pub mod startup;
pub mod subusers;
pub mod two_factor;
pub mod users;
pub mod windows;

pub use actor::{Actor, Credential};
pub use context::{Cx, Parts};
pub use nodes::Nodes;
pub use settings::{
    AllowedOrigins, BackupSettings, BackupThrottle, ClientAllocations, ClientDatabases, Settings,
    TrustedProxies, TwoFactorPolicy,
};
