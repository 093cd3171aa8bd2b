//! Brings a Pterodactyl panel in: reads its MySQL or MariaDB database, opens what its `APP_KEY`
//! has sealed, and writes rows with the numbers, UUIDs and times that they had there.
//!
//! Everything happens in one transaction, so there is no half of an import; a trial run is the same
//! transaction without its end. A row that cannot be read is named and left out, with what hangs on
//! it, and nothing else stops. Knows the other panel's tables; of ours it knows `store` alone.

mod activity;
mod app_key;
mod bring;
mod broken;
mod home;
mod known;
mod report;
mod row;
mod settings;
mod source;
mod tables;
#[cfg(feature = "testing")]
pub mod testing;

use std::path::PathBuf;

use hatchery_store::{Store, StoreError};

pub use app_key::{AppKey, AppKeyError};
pub use report::{Report, Skipped, TableReport};
pub use source::SourceError;

use bring::Bring;
use source::Source;

/// The settings under which the salt and the least length of the public ids of databases are kept.
pub const HASHIDS_SALT: &str = "hashids.salt";
/// See [`HASHIDS_SALT`].
pub const HASHIDS_LENGTH: &str = "hashids.length";

/// What to import, and how.
#[derive(Debug)]
pub struct Options {
    /// The other panel's database: `mysql://user:password@host/name`.
    pub database: String,
    /// The key that its secrets are sealed with.
    pub app_key: AppKey,
    /// Its `HASHIDS_SALT`, which makes the public ids of databases.
    pub hashids_salt: Option<String>,
    /// Its `HASHIDS_LENGTH`.
    pub hashids_length: Option<u8>,
    /// The folder with the servers' files, if one of the panel's nodes is this machine.
    pub volumes: Option<PathBuf>,
    /// Whether to keep what was imported.
    pub mode: Mode,
}

/// Whether to keep what was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Keep it.
    Keep,
    /// Only tell what would be imported.
    Trial,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The other panel's database cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Our own database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key opens nothing.
    #[error(
        "this is not the panel's APP_KEY: it opens none of its {0} sealed values. Copy the line APP_KEY from the .env of that panel"
    )]
    WrongKey(u64),
    /// No server's files are where they should be.
    #[error("{} holds the files of no server of that panel: --volumes names the folder in which each has one of its UUID", .0.display())]
    NoVolumes(PathBuf),
    /// What is to be imported collides with what is there.
    #[error("{}", .0.join("\n"))]
    Collisions(Vec<String>),
}

/// Imports a Pterodactyl panel.
pub async fn pterodactyl(store: &Store, options: Options) -> Result<Report, ImportError> {
    let mut source = Source::open(&options.database).await?;
    tables::probe_key(&mut source, &options.app_key).await?;
    let home = match options.volumes {
        Some(folder) => Some(home::find(&mut source, folder).await?),
        None => None,
    };
    let mut bring = Bring::begin(store, source, options.app_key, home, options.mode).await?;
    tables::all(&mut bring).await?;
    activity::all(&mut bring).await?;
    settings::all(
        &mut bring,
        options.hashids_salt.as_deref(),
        options.hashids_length,
    )
    .await?;
    bring.end(options.mode).await
}
