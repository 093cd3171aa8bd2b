//! The record of each noun: its columns, and what tells its rows apart.

use std::collections::BTreeMap;

use hatchery_db::Value;
use hatchery_vocab::{
    AllocationId, ApiKeyId, BackupId, BackupUuid, CpuPercent, DatabaseHostId, DatabaseId, EggId,
    EggUuid, EggVariableId, LocationId, MiB, MountId, NestId, NodeId, NodeUuid, Port, ScheduleId,
    ServerId, ServerStatus, ServerUuid, ShortId, SshKeyId, SubuserId, Swap, TaskId, Timestamp,
    TransferId, UserId, UserUuid,
};
use serde_json::{Map, Value as JsonValue};
use uuid::Uuid;

use super::{Record, sealed};
use crate::sql::{Json, Param};
use crate::{ApiKeyKind, Secret};

macro_rules! records {
    ($(
        $(#[$doc:meta])*
        $name:ident in $table:ident {
            key { $($key:ident: $key_type:ty),* }
            identity { $($identity:ident: $identity_type:ty),* }
            carried { $($carried:ident: $carried_type:ty),* }
            living { $($living:ident: $living_type:ty),* }
            unique { $($unique:expr),* }
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "the columns of the migrations, where they are explained")]
        pub struct $name {
            $(pub $key: $key_type,)*
            $(pub $identity: $identity_type,)*
            $(pub $carried: $carried_type,)*
            $(pub $living: $living_type,)*
        }

        impl sealed::Row for $name {
            const TABLE: &'static str = stringify!($table);
            const KEY: &'static [&'static str] = &[$(stringify!($key)),*];
            const IDENTITY: &'static [&'static str] = &[$(stringify!($identity)),*];
            const CARRIED: &'static [&'static str] = &[$(stringify!($carried)),*];
            const LIVING: &'static [&'static str] = &[$(stringify!($living)),*];
            const UNIQUE: &'static [&'static [&'static str]] = &[$(&$unique),*];

            fn values(&self) -> Vec<Value> {
                vec![
                    $(Stored::stored(&self.$key),)*
                    $(Stored::stored(&self.$identity),)*
                    $(Stored::stored(&self.$carried),)*
                    $(Stored::stored(&self.$living),)*
                ]
            }
        }

        impl Record for $name {}
    )*};
}

/// Any field of a record as a parameter.
trait Stored {
    fn stored(&self) -> Value;
}

macro_rules! stored {
    ($($type:ty),* $(,)?) => {$(
        impl Stored for $type {
            fn stored(&self) -> Value {
                Param::value(self)
            }
        }

        impl Stored for Option<$type> {
            fn stored(&self) -> Value {
                Param::value(self)
            }
        }
    )*};
}

stored! {
    i64, u64, bool, String, Secret, Uuid, Timestamp, MiB, CpuPercent, Swap, Port, ShortId,
    ServerStatus, [u8; 32], ApiKeyKind,
    AllocationId, ApiKeyId, BackupId, DatabaseHostId, DatabaseId, EggId, EggVariableId, LocationId,
    MountId, NestId, NodeId, ScheduleId, ServerId, SshKeyId, SubuserId, TaskId, TransferId, UserId,
    BackupUuid, EggUuid, NodeUuid, ServerUuid, UserUuid,
}

macro_rules! stored_as_json {
    ($($type:ty),* $(,)?) => {$(
        impl Stored for $type {
            fn stored(&self) -> Value {
                Json(self).value()
            }
        }

        impl Stored for Option<$type> {
            fn stored(&self) -> Value {
                self.as_ref().map(Json).value()
            }
        }
    )*};
}

stored_as_json! { Vec<String>, Vec<i64>, BTreeMap<String, u8>, Map<String, JsonValue>, JsonValue }

records! {
    /// A user.
    UserRecord in users {
        key { id: UserId }
        identity { uuid: UserUuid }
        carried {
            external_id: Option<String>, username: String, email: String,
            name_first: Option<String>, name_last: Option<String>, language: String,
            root_admin: bool, use_totp: bool, totp_secret: Option<Secret>
        }
        // The hash of a password is renewed at the next sign-in.
        living {
            password: Secret, totp_authenticated_at: Option<Timestamp>,
            created_at: Timestamp, updated_at: Timestamp
        }
        unique { ["uuid"], ["lower(username)"], ["lower(email)"] }
    }

    /// An API key of either kind.
    ApiKeyRecord in api_keys {
        key { id: ApiKeyId }
        identity { identifier: String, user_id: UserId }
        carried {
            key_type: ApiKeyKind, secret_hash: [u8; 32], memo: String, allowed_ips: Vec<String>,
            rights: BTreeMap<String, u8>, expires_at: Option<Timestamp>
        }
        living { last_used_at: Option<Timestamp>, created_at: Timestamp }
        unique { ["identifier"] }
    }

    /// A public key.
    SshKeyRecord in ssh_keys {
        key { id: SshKeyId }
        identity { user_id: UserId, fingerprint: String }
        carried { name: String, public_key: String }
        living { created_at: Timestamp }
        unique { ["user_id", "fingerprint"] }
    }

    /// A recovery token of somebody with two-factor authentication.
    RecoveryTokenRecord in recovery_tokens {
        key { id: i64 }
        identity { user_id: UserId, token_hash: Secret }
        carried {}
        living { created_at: Timestamp }
        unique {}
    }

    /// A location.
    LocationRecord in locations {
        key { id: LocationId }
        identity { short: String }
        carried { long: Option<String> }
        living { created_at: Timestamp, updated_at: Timestamp }
        unique { ["short"] }
    }

    /// A node.
    NodeRecord in nodes {
        key { id: NodeId }
        identity { uuid: NodeUuid }
        carried {
            location_id: LocationId, name: String, description: Option<String>, embedded: bool,
            public: bool, fqdn: String, scheme: String, behind_proxy: bool,
            maintenance_mode: bool, memory: MiB, memory_overallocate: i64, disk: MiB,
            disk_overallocate: i64, upload_size: MiB, daemon_base: String, daemon_listen: Port,
            daemon_sftp: Port, daemon_token_id: String, daemon_token: Secret
        }
        living { created_at: Timestamp, updated_at: Timestamp }
        unique { ["uuid"], ["daemon_token_id"] }
    }

    /// An address and port.
    AllocationRecord in allocations {
        key { id: AllocationId }
        identity { node_id: NodeId, ip: String, port: Port }
        carried {
            ip_alias: Option<String>, server_id: Option<ServerId>, is_primary: bool,
            notes: Option<String>
        }
        living { created_at: Timestamp, updated_at: Timestamp }
        unique { ["node_id", "ip", "port"] }
    }

    /// A group of eggs.
    NestRecord in nests {
        key { id: NestId }
        identity { uuid: Uuid }
        carried { author: String, name: String, description: Option<String> }
        living { created_at: Timestamp, updated_at: Timestamp }
        unique { ["uuid"] }
    }

    /// An egg.
    EggRecord in eggs {
        key { id: EggId }
        identity { uuid: EggUuid }
        carried {
            nest_id: NestId, author: String, name: String, description: Option<String>,
            source_format: String, update_url: Option<String>, features: Option<Vec<String>>,
            docker_images: Map<String, JsonValue>, file_denylist: Vec<String>, tags: Vec<String>,
            startup: String, config_files: Option<JsonValue>, config_startup: Option<JsonValue>,
            config_logs: Option<JsonValue>, config_stop: Option<String>,
            config_from: Option<EggId>, script_container: String, script_entry: String,
            script_install: Option<String>, copy_script_from: Option<EggId>,
            force_outgoing_ip: bool
        }
        living { created_at: Timestamp, updated_at: Timestamp }
        unique { ["uuid"] }
    }

    /// A variable of an egg.
    EggVariableRecord in egg_variables {
        key { id: EggVariableId }
        identity { egg_id: EggId, env_variable: String }
        carried {
            name: String, description: String, default_value: String, user_viewable: bool,
            user_editable: bool, rules: String, field_type: String, sort: i64
        }
        living { created_at: Timestamp, updated_at: Timestamp }
        unique { ["egg_id", "env_variable"] }
    }

    /// A server.
    ServerRecord in servers {
        key { id: ServerId }
        identity { uuid: ServerUuid }
        carried {
            short: ShortId, external_id: Option<String>, node_id: NodeId, owner_id: UserId,
            egg_id: EggId, name: String, description: String, skip_scripts: bool, memory: MiB,
            swap: Swap, disk: MiB, io: u64, cpu: CpuPercent, threads: Option<String>,
            oom_disabled: bool, startup: String, image: String, allocation_limit: Option<u64>,
            database_limit: Option<u64>, backup_limit: u64
        }
        living {
            status: Option<ServerStatus>, installed_at: Option<Timestamp>, created_at: Timestamp,
            updated_at: Timestamp
        }
        unique { ["uuid"], ["short"], ["external_id"] }
    }

    /// A server's value of a variable.
    ServerVariableRecord in server_variables {
        key { server_id: ServerId, variable_id: EggVariableId }
        identity {}
        carried { value: String }
        living {}
        unique {}
    }

    /// A user's share of a server.
    SubuserRecord in subusers {
        key { id: SubuserId }
        identity { user_id: UserId, server_id: ServerId }
        carried { permissions: Vec<String> }
        living { created_at: Timestamp, updated_at: Timestamp }
        unique { ["server_id", "user_id"] }
    }

    /// A move of a server to another node.
    TransferRecord in transfers {
        key { id: TransferId }
        identity { server_id: ServerId, old_node: NodeId, new_node: NodeId }
        carried {
            old_allocation: AllocationId, new_allocation: AllocationId,
            old_additional_allocations: Vec<i64>, new_additional_allocations: Vec<i64>
        }
        living {
            successful: Option<bool>, archived: bool, created_at: Timestamp, updated_at: Timestamp
        }
        unique {}
    }

    /// A schedule.
    ScheduleRecord in schedules {
        key { id: ScheduleId }
        identity { server_id: ServerId }
        carried {
            name: String, cron_minute: String, cron_hour: String, cron_day_of_month: String,
            cron_month: String, cron_day_of_week: String, is_active: bool, only_when_online: bool
        }
        living {
            is_processing: bool, last_run_at: Option<Timestamp>, next_run_at: Option<Timestamp>,
            created_at: Timestamp, updated_at: Timestamp
        }
        unique {}
    }

    /// A task of a schedule.
    TaskRecord in tasks {
        key { id: TaskId }
        identity { schedule_id: ScheduleId }
        carried {
            sequence_id: i64, action: String, payload: String, time_offset: i64,
            continue_on_failure: bool
        }
        living { is_queued: bool, created_at: Timestamp, updated_at: Timestamp }
        unique {}
    }

    /// A host on which databases are created.
    DatabaseHostRecord in database_hosts {
        key { id: DatabaseHostId }
        identity { host: String, port: Port }
        carried {
            name: String, engine: String, username: String, password: Secret,
            max_databases: Option<u64>, node_id: Option<NodeId>
        }
        living { created_at: Timestamp, updated_at: Timestamp }
        unique {}
    }

    /// A server's database.
    DatabaseRecord in databases {
        key { id: DatabaseId }
        identity { server_id: ServerId, database_host_id: DatabaseHostId, name: String }
        carried { username: String, remote: String, password: Secret, max_connections: Option<u64> }
        living { created_at: Timestamp, updated_at: Timestamp }
        unique { ["database_host_id", "username"], ["database_host_id", "name"] }
    }

    /// A backup.
    BackupRecord in backups {
        key { id: BackupId }
        identity { uuid: BackupUuid, server_id: ServerId }
        carried { name: String, ignored_files: Vec<String>, disk: String, is_locked: bool }
        living {
            upload_id: Option<String>, is_successful: bool, checksum: Option<String>, bytes: u64,
            completed_at: Option<Timestamp>, created_at: Timestamp, updated_at: Timestamp,
            deleted_at: Option<Timestamp>
        }
        unique { ["uuid"] }
    }

    /// A folder of the node's machine that servers may see.
    MountRecord in mounts {
        key { id: MountId }
        identity { uuid: Uuid }
        carried {
            name: String, description: Option<String>, source: String, target: String,
            read_only: bool, user_mountable: bool
        }
        living {}
        unique { ["uuid"], ["name"] }
    }

    /// That an egg's servers may have a mount.
    EggMountRecord in egg_mounts {
        key { egg_id: EggId, mount_id: MountId }
        identity {}
        carried {}
        living {}
        unique {}
    }

    /// That a node has the folder of a mount.
    NodeMountRecord in node_mounts {
        key { node_id: NodeId, mount_id: MountId }
        identity {}
        carried {}
        living {}
        unique {}
    }

    /// That a server has a mount.
    ServerMountRecord in server_mounts {
        key { server_id: ServerId, mount_id: MountId }
        identity {}
        carried {}
        living {}
        unique {}
    }
}
