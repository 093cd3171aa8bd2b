//! What the operator chose, as far as verbs and routes need it.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use hatchery_node_proto::BackupAdapter;
use hatchery_s3::Bucket;
use ipnet::IpNet;
use jiff::tz::TimeZone;

/// The panel's settings. They do not change while it runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The panel's name, for people.
    pub app_name: String,
    /// The panel's address from outside, without a slash at the end. Unset, each request's own
    /// host is taken.
    pub app_url: Option<String>,
    /// Requests that one API key, or all sessions of one user, may make in a minute; 0 is
    /// unlimited.
    pub requests_per_minute: u32,
    /// The proxies whose word about addresses counts.
    pub trusted_proxies: TrustedProxies,
    /// Who must use two-factor authentication.
    pub two_factor: TwoFactorPolicy,
    /// The largest request body, in bytes.
    pub max_body: u64,
    /// The largest file that `files/contents` shows, in bytes.
    pub max_edit_size: u64,
    /// How long a browser session lives.
    pub session_lifetime: Duration,
    /// How backups are made and kept.
    pub backups: BackupSettings,
    /// Whether the log of a server leaves out what administrators did to it from outside.
    pub hide_admin_activity: bool,
    /// The web pages of others that may call the API.
    pub allowed_origins: AllowedOrigins,
    /// Whether the API answers nothing while somebody works on the panel.
    pub maintenance: bool,
    /// What people may add to their servers.
    pub client_allocations: ClientAllocations,
    /// Databases that users make.
    pub client_databases: ClientDatabases,
    /// The time zone in which schedules are meant.
    pub time_zone: TimeZone,
    /// How many tasks a schedule may have.
    pub tasks_per_schedule: u32,
}

impl Default for Settings {
    /// The figures of client-api.md §17, and the mission's rate limit.
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            app_name: "Hatchery".to_owned(),
            app_url: None,
            requests_per_minute: 240,
            trusted_proxies: TrustedProxies::default(),
            two_factor: TwoFactorPolicy::Nobody,
            max_body: 100 * MIB,
            max_edit_size: 4 * MIB,
            session_lifetime: Duration::from_hours(12),
            hide_admin_activity: false,
            allowed_origins: AllowedOrigins::default(),
            maintenance: false,
            time_zone: TimeZone::UTC,
            tasks_per_schedule: 10,
            backups: BackupSettings::default(),
            client_allocations: ClientAllocations {
                enabled: true,
                ports: Vec::new(),
            },
            client_databases: ClientDatabases::default(),
        }
    }
}

/// What users may do about databases.
#[derive(Clone, Copy, Debug)]
pub struct ClientDatabases {
    /// Whether they may create any.
    pub enabled: bool,
    /// Whether servers of a node that has no database host of its own may use one of all.
    pub any_host: bool,
}

impl Default for ClientDatabases {
    fn default() -> Self {
        Self {
            enabled: true,
            any_host: true,
        }
    }
}

/// How backups are made and kept.
#[derive(Clone, Debug)]
pub struct BackupSettings {
    /// Who keeps new backups.
    pub adapter: BackupAdapter,
    /// How often a server's backups may be made; nothing is no limit.
    pub throttle: Option<BackupThrottle>,
    /// After what time a backup that nobody reports on counts as failed.
    pub prune_after: Duration,
    /// The bucket of the adapter `s3`.
    pub bucket: Option<Bucket>,
    /// How long the addresses to which a node uploads are valid.
    pub address_lifetime: Duration,
    /// How long each part of an upload but the last is, in bytes.
    pub max_part: u64,
}

/// So many within such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupThrottle {
    /// How many.
    pub limit: u32,
    /// Within what time.
    pub period: Duration,
}

impl Default for BackupSettings {
    /// The figures of client-api.md §17.
    fn default() -> Self {
        Self {
            adapter: BackupAdapter::Wings,
            throttle: Some(BackupThrottle {
                limit: 2,
                period: Duration::from_mins(10),
            }),
            prune_after: Duration::from_hours(6),
            bucket: None,
            address_lifetime: Duration::from_hours(1),
            max_part: 5 << 30,
        }
    }
}

/// Allocations that people add to their servers.
#[derive(Clone, Debug)]
pub struct ClientAllocations {
    /// Whether they may.
    pub enabled: bool,
    /// The ports that may be made into allocations when none is free.
    pub ports: Vec<RangeInclusive<u16>>,
}

/// Who must use two-factor authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TwoFactorPolicy {
    /// Nobody.
    #[default]
    Nobody,
    /// Root administrators.
    Administrators,
    /// Everybody.
    Everybody,
}

/// The web pages of others that may call the API (client-api.md §1.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Every page. It needs a key: the cookies of the panel are not for others.
    Any,
    /// The pages of these origins, with cookies.
    These(Vec<String>),
}

impl Default for AllowedOrigins {
    /// None.
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

/// The proxies whose word about addresses counts.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// These networks.
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether requests from this address may speak for others.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}
