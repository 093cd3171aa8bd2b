//! The words of the field as types.
//!
//! Everything here is a plain value: no I/O, no clock, no wire shape. Other crates speak to each
//! other in these types instead of bare integers and strings.

mod engine;
mod hashid;
mod ids;
mod limits;
mod permission;
mod power;
mod status;
mod task;
mod time;

pub use engine::{DatabaseEngine, ParseDatabaseEngine};
pub use hashid::{HASHID_LENGTH, Hashids};
pub use ids::{
    AllocationId, ApiKeyId, BackupId, BackupUuid, DatabaseHostId, DatabaseId, EggId, EggUuid,
    EggVariableId, LocationId, MountId, NestId, NodeId, NodeUuid, ParseShortId, ParseUuid,
    ScheduleId, ServerId, ServerUuid, SessionId, ShortId, SshKeyId, SubuserId, TaskId, TransferId,
    UserId, UserUuid,
};
pub use limits::{CpuPercent, MiB, Port, Swap};
pub use permission::{Permission, PermissionGroup, PermissionSet};
pub use power::{ParsePowerSignal, PowerSignal, PowerState};
pub use status::{ParseServerStatus, ServerStatus};
pub use task::{ParseTaskAction, TaskAction};
pub use time::{ParseTimestamp, Timestamp};
