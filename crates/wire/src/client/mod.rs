//! The resources of `/api/client` (client-api.md §4), one file per noun.

mod account;
mod activity;
mod backup;
mod database;
mod file;
mod permission;
mod schedule;
mod server;
mod startup;
mod stats;
mod two_factor;

pub use account::{Account, ApiKey, PublicUser, SecretMeta, SshKey};
pub use activity::{ActivityLog, ActivityRelationships};
pub use backup::{Backup, BackupMeta};
pub use database::{Database, DatabaseAddress, DatabasePassword, DatabaseRelationships};
pub use file::{FileObject, SignedUrl};
pub use permission::{PermissionGroupText, SystemPermissions};
pub use schedule::{Cron, Schedule, ScheduleRelationships, ScheduleTask, TaskOutcome};
pub use server::{
    Allocation, Egg, EggVariable, FeatureLimits, Server, ServerLimits, ServerMeta,
    ServerRelationships, SftpDetails, Subuser, WebsocketCredentials,
};
pub use startup::{StartupCommands, StartupMeta};
pub use stats::{Stats, StatsResources};
pub use two_factor::{RecoveryTokens, TwoFactorSetup};
