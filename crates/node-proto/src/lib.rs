//! What panel and node say to each other.
//!
//! The protocol is that of Pterodactyl's node daemon. This crate owns its types, the two clients
//! ([`NodeClient`] from panel to node, [`PanelClient`] from node to panel) and the signed tokens
//! that a browser carries from one to the other ([`jwt`]). It knows neither routes nor servers:
//! both clients speak through a [`NodeService`], which is a router in the same process or an HTTP
//! connection to another machine.

mod activity;
mod backup;
mod client;
mod connections;
mod error;
mod exchange;
mod file;
pub mod jwt;
mod panel;
mod server;
mod service;
mod settings;
mod token;
pub mod ws;

pub use activity::ActivityEntry;
pub use backup::{
    BackupAdapter, BackupCompleted, BackupReport, CreateBackup, RestoreBackup, RestoreReport,
    UploadAddresses, UploadedPart,
};
pub use client::{CONNECT_TIMEOUT, Contents, LONG_TIMEOUT, NodeClient, TOTAL_TIMEOUT};
pub use connections::NodeConnections;
pub use error::{NodeError, NodeIoError};
pub use exchange::MAX_ANSWER;
pub use file::{
    Chmod, ChmodFile, Compress, Copy, CreateDirectory, Decompress, Delete, FileEntry, Flag, Mode,
    Pull, PullProgress, PullStarted, Pulls, Rename, RenameFile,
};
pub use panel::{PanelClient, PanelCredentials, PanelError, RemoteServer, ServerPage};
pub use server::{
    Commands, CreateServer, DeauthorizeUser, DenyTokens, InstallReport, InstallScript, Logs,
    Network, Power, ServerDetails, ServerIdentity, SystemInformation, Utilization,
};
pub use service::{LateService, NodeService, late_service};
pub use settings::{
    Allocations, Build, ConfigurationFile, Container, DefaultAllocation, Egg, Environment, Meta,
    Mount, ProcessConfiguration, Replacement, ServerConfiguration, ServerSettings,
    StartupConfiguration, StopConfiguration, StopKind,
};
pub use token::NodeToken;
