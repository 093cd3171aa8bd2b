//! How settings become the parts that the program is made of.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use hatchery_ambient::{Clock, Entropy, SystemClock, SystemEntropy};
use hatchery_app::{
    BackupSettings, BackupThrottle, ClientAllocations, ClientDatabases, Cx, Nodes, Parts,
    TrustedProxies, TwoFactorPolicy,
};
use hatchery_auth::{PasswordCost, Passwords};
use hatchery_config::{
    AddressStyle, AllowedOrigins, BackupDriver, Database, MailEncryption, S3, SecretText, Settings,
    TwoFactorRule,
};
use hatchery_mail::{
    Encryption, MailError, MailSettings, Mailer, Retries, Route, Sender, SmtpSettings,
};
use hatchery_node_proto::BackupAdapter;
use hatchery_s3::{Bucket, BucketConfig, BucketError};
use hatchery_store::{DatabaseLocation, Store, StoreConfig, StoreError};

use crate::data_dir::DataDir;
use crate::embedded_node::Address;

/// The clock and the randomness of the whole program.
#[derive(Clone, Debug)]
pub(crate) struct Ambient {
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Randomness.
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Ambient {
    /// Those of the machine.
    pub(crate) fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

/// Opens the database and brings its schema up to date.
pub(crate) async fn store(
    settings: &Settings,
    data_dir: &DataDir,
    ambient: &Ambient,
) -> Result<Store, StoreError> {
    let database = match data_dir.database(settings) {
        Database::File(path) => DatabaseLocation::SqliteAt(path),
        Database::Postgres(url) => DatabaseLocation::Postgres(url),
        Database::Default => DatabaseLocation::SqliteAt(data_dir.path().join("panel.db")),
    };
    Store::open(
        &StoreConfig { database },
        Arc::clone(&ambient.clock),
        Arc::clone(&ambient.entropy),
    )
    .await
}

/// What every verb works with. `address` is the panel's from outside.
pub(crate) fn context(
    settings: &Settings,
    data_dir: &DataDir,
    store: Store,
    ambient: &Ambient,
    nodes: Nodes,
    address: &Address,
) -> Result<Cx, ComposeError> {
    let cost = PasswordCost {
        memory_kib: settings.password.memory.get(),
        passes: settings.password.passes.get(),
        ..PasswordCost::STANDARD
    };
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mail = Mailer::new(
        mail_settings(settings, data_dir, address),
        Arc::clone(&ambient.clock),
        Arc::clone(&ambient.entropy),
    )?;
    Ok(Cx::new(Parts {
        store,
        clock: Arc::clone(&ambient.clock),
        entropy: Arc::clone(&ambient.entropy),
        passwords: Passwords::new(cost, cores, Arc::clone(&ambient.entropy)),
        mail,
        nodes,
        settings: app_settings(settings)?,
    }))
}

fn mail_settings(settings: &Settings, data_dir: &DataDir, address: &Address) -> MailSettings {
    let mail = &settings.mail;
    let route = match &mail.host {
        None => Route::Folder(data_dir.mail()),
        Some(host) => Route::Smtp(SmtpSettings {
            host: host.clone(),
            port: mail.port,
            encryption: match mail.encryption {
                MailEncryption::None => Encryption::None,
                MailEncryption::StartTls => Encryption::StartTls,
                MailEncryption::Tls => Encryption::Tls,
            },
            credentials: mail.username.clone().map(|username| {
                let password = mail.password.as_ref().map(SecretText::expose);
                (username, password.unwrap_or_default().to_owned())
            }),
            authority: mail.authority.clone(),
        }),
    };
    MailSettings {
        panel: settings.name.clone(),
        url: address.url(),
        sender: Sender {
            name: mail
                .from_name
                .clone()
                .unwrap_or_else(|| settings.name.clone()),
            address: mail.from_address.clone(),
        },
        route,
        retries: Retries::default(),
    }
}

fn app_settings(settings: &Settings) -> Result<hatchery_app::Settings, ComposeError> {
    const SECONDS_PER_MINUTE: u64 = 60;
    Ok(hatchery_app::Settings {
        app_name: settings.name.clone(),
        app_url: settings.url.as_ref().map(|url| url.as_str().to_owned()),
        requests_per_minute: settings.rate_limit.per_minute,
        trusted_proxies: TrustedProxies::new(settings.trusted_proxies.clone()),
        two_factor: match settings.two_factor {
            TwoFactorRule::None => TwoFactorPolicy::Nobody,
            TwoFactorRule::Admins => TwoFactorPolicy::Administrators,
            TwoFactorRule::Everybody => TwoFactorPolicy::Everybody,
        },
        max_body: settings.http.max_body.bytes(),
        client_databases: ClientDatabases {
            enabled: settings.client_databases.enabled,
            any_host: settings.client_databases.any_host,
        },
        time_zone: settings.time_zone.get(),
        tasks_per_schedule: settings.schedules.max_tasks.get(),
        session_lifetime: Duration::from_secs(
            u64::from(settings.session.lifetime.get()) * SECONDS_PER_MINUTE,
        ),
        backups: backup_settings(settings)?,
        hide_admin_activity: settings.activity.hide_admins,
        allowed_origins: match &settings.cors.allowed_origins {
            AllowedOrigins::Any => hatchery_app::AllowedOrigins::Any,
            AllowedOrigins::These(origins) => hatchery_app::AllowedOrigins::These(
                origins
                    .iter()
                    .map(|origin| origin.as_str().to_owned())
                    .collect(),
            ),
        },
        maintenance: settings.maintenance,
        client_allocations: ClientAllocations {
            enabled: settings.client_allocations.enabled,
            ports: settings
                .client_allocations
                .ports
                .ranges()
                .iter()
                .map(|range| range.first.get()..=range.last.get())
                .collect(),
        },
        ..hatchery_app::Settings::default()
    })
}

fn backup_settings(settings: &Settings) -> Result<BackupSettings, ComposeError> {
    const SECONDS_PER_MINUTE: u64 = 60;
    let (backups, s3) = (&settings.backups, &settings.s3);
    let bucket = bucket(s3)?;
    let adapter = match backups.driver {
        BackupDriver::Wings => BackupAdapter::Wings,
        BackupDriver::S3 if bucket.is_some() => BackupAdapter::S3,
        BackupDriver::S3 => return Err(ComposeError::NoBucket),
    };
    let minutes =
        |count: NonZeroU32| Duration::from_secs(u64::from(count.get()) * SECONDS_PER_MINUTE);
    Ok(BackupSettings {
        adapter,
        throttle: (backups.throttle_period > 0).then(|| BackupThrottle {
            limit: backups.throttle_limit.get(),
            period: Duration::from_secs(backups.throttle_period.into()),
        }),
        prune_after: minutes(backups.prune_age),
        bucket,
        address_lifetime: minutes(s3.presigned_lifetime),
        max_part: s3.max_part_size.bytes(),
    })
}

/// The bucket of the settings; nothing where they name none.
fn bucket(s3: &S3) -> Result<Option<Bucket>, ComposeError> {
    let (Some(endpoint), Some(bucket), Some(access_key), Some(secret_key)) =
        (&s3.endpoint, &s3.bucket, &s3.access_key, &s3.secret_key)
    else {
        return Ok(None);
    };
    Ok(Some(Bucket::new(&BucketConfig {
        endpoint: endpoint.as_str().to_owned(),
        region: s3.region.clone(),
        bucket: bucket.clone(),
        access_key: access_key.clone(),
        secret_key: secret_key.expose().to_owned(),
        path_style: s3.address_style == AddressStyle::Path,
    })?))
}

/// Why the settings do not amount to a panel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComposeError {
    /// Mail.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// Backups go into a bucket, and there is none.
    #[error(
        "backups.driver is s3, but no bucket is set up: set s3.endpoint, s3.bucket, s3.access_key and s3.secret_key"
    )]
    NoBucket,
}
