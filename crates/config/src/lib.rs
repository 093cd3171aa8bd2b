//! Settings: what a person can decide about a panel without touching its database.
//!
//! Every setting has one name, which is a key of `hatchery.toml`, a variable of the environment
//! (`node.runtime` is `HATCHERY_NODE_RUNTIME`) and, for the few that are named on every command
//! line, a flag. A flag wins over the environment, the environment over the file, and the file over
//! the default. The names, meanings and defaults are declared once, in [`Settings`]; the reference
//! page is made from the same declaration by [`reference()`].
//!
//! This crate decides nothing by these values and opens nothing but the file.

mod layers;
mod reference;
mod settings;
mod value;

pub use layers::{Layers, Problem, Source};
pub use reference::reference;
pub use settings::{
    Activity, Backups, Http, Key, Log, Mail, Metrics, Node, PasswordHashing, RateLimit, S3,
    Schedules, Section, Session, Settings,
};
pub use value::{
    AddressStyle, AllowedOrigins, BackupDriver, Database, LogFormat, LogLevel, MailEncryption,
    MetricsAccess, Origin, PortRange, Ports, RuntimeChoice, SecretText, Setting, TwoFactorRule,
    Zone,
};
