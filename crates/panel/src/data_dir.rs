//! The folder that holds everything, and the lock that keeps a second panel out of it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hatchery_config::{Database, Settings};

/// Readable for its owner only: keys and server files are inside.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const LOCK: &str = "panel.lock";
const README: &str = "README.txt";

const README_TEXT: &str = "\
This folder belongs to Hatchery. Everything that it keeps is here:

  panel.db*    the database: users, keys, servers (not here with PostgreSQL)
  volumes/     the servers' files, one folder each
  node/        what the node remembers about running servers
  mail/        mail that was not sent, since no mail server is set
  panel.lock   held while a panel uses this folder

Stop Hatchery before you copy this folder.
";

/// A data folder that exists.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    /// It cannot be created or written to.
    #[error("cannot {action} {}: {source}. Choose another folder with --data-dir", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another panel uses it.
    #[error("another panel{holder} uses {}. Stop it first, or choose another folder with --data-dir", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The other process, as far as it is known.
        holder: String,
    },
}

/// Held for as long as the panel runs.
#[derive(Debug)]
pub(crate) struct DataDirLock(
    #[expect(dead_code, reason = "the lock ends when the file is closed")] File,
);

impl DataDir {
    /// Creates what is missing of the folder and its layout.
    pub(crate) fn prepare(settings: &Settings) -> Result<Self, DataDirError> {
        let at = |action, path: &Path| {
            let path = path.to_owned();
            move |source| DataDirError::Io {
                action,
                path,
                source,
            }
        };
        let root =
            std::path::absolute(&settings.data_dir).map_err(at("find", &settings.data_dir))?;
        create(&root).map_err(at("create", &root))?;
        close_to_others(&root).map_err(at("close to others", &root))?;
        let data_dir = Self(root);
        for folder in [data_dir.volumes(settings), data_dir.node()] {
            create(&folder).map_err(at("create", &folder))?;
        }
        let readme = data_dir.0.join(README);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&readme)
        {
            Ok(mut file) => file
                .write_all(README_TEXT.as_bytes())
                .map_err(at("write", &readme))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(at("write", &readme)(error)),
        }
        Ok(data_dir)
    }

    /// Takes the folder for this process. The lock ends with the process, however it ends.
    pub(crate) fn lock(&self) -> Result<DataDirLock, DataDirError> {
        let path = self.0.join(LOCK);
        let io_error = |source| DataDirError::Io {
            action: "lock",
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(io_error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(io_error(error)),
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                // Who it is would be good to know, and no more.
                let _ = Read::by_ref(&mut file)
                    .take(20)
                    .read_to_string(&mut process);
                let holder = process
                    .trim()
                    .parse()
                    .map(|id: u32| format!(" (process {id})"))
                    .unwrap_or_default();
                return Err(DataDirError::InUse {
                    path: self.0.clone(),
                    holder,
                });
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .map_err(io_error)?;
        writeln!(file, "{}", std::process::id()).map_err(io_error)?;
        Ok(DataDirLock(file))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The folder with the servers' folders.
    pub(crate) fn volumes(&self, settings: &Settings) -> PathBuf {
        settings
            .node
            .volumes
            .clone()
            .unwrap_or_else(|| self.0.join("volumes"))
    }

    /// What the node remembers.
    pub(crate) fn node(&self) -> PathBuf {
        self.0.join("node")
    }

    /// Where mail is written while no server is set that sends it.
    pub(crate) fn mail(&self) -> PathBuf {
        self.0.join("mail")
    }

    /// The SQLite file, unless the database is elsewhere.
    pub(crate) fn database(&self, settings: &Settings) -> Database {
        match &settings.database {
            Database::Default => Database::File(self.0.join("panel.db")),
            elsewhere => elsewhere.clone(),
        }
    }
}

/// A folder that somebody made before us may be open to everybody.
#[expect(
    clippy::disallowed_methods,
    reason = "the data folder is the machine's, not a server's"
)]
fn close_to_others(folder: &Path) -> io::Result<()> {
    const OTHERS: u32 = 0o077;
    let mode = folder.metadata()?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    tracing::warn!(folder = %folder.display(), "the data folder was open to others; it is closed now");
    std::fs::set_permissions(folder, Permissions::from_mode(mode & !OTHERS))
}

fn create(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)
}

#[cfg(test)]
mod tests {
    use hatchery_config::Layers;

    use super::*;

    fn settings(folder: &Path) -> Settings {
        Settings {
            data_dir: folder.join("deep/data"),
            ..Settings::from_layers(&Layers::default()).unwrap()
        }
    }

    #[test]
    fn the_folder_is_for_its_owner_only_and_says_what_it_is() {
        let temporary = tempfile::tempdir().unwrap();
        let settings = settings(temporary.path());
        for _ in 0..2 {
            let data_dir = DataDir::prepare(&settings).unwrap();
            for folder in [
                data_dir.path(),
                &data_dir.node(),
                &data_dir.volumes(&settings),
            ] {
                assert_eq!(
                    folder.metadata().unwrap().permissions().mode() & 0o777,
                    0o700,
                    "{}",
                    folder.display()
                );
            }
            assert!(data_dir.path().join(README).is_file());
        }
    }

    #[test]
    fn a_folder_that_was_open_to_others_is_closed() {
        let temporary = tempfile::tempdir().unwrap();
        let settings = settings(temporary.path());
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&settings.data_dir)
            .unwrap();
        let data_dir = DataDir::prepare(&settings).unwrap();
        assert_eq!(
            data_dir.path().metadata().unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn only_one_panel_at_a_time() {
        let temporary = tempfile::tempdir().unwrap();
        let data_dir = DataDir::prepare(&settings(temporary.path())).unwrap();
        let lock = data_dir.lock().unwrap();
        let error = data_dir.lock().unwrap_err().to_string();
        assert!(
            error.contains(&format!("another panel (process {})", std::process::id())),
            "{error}"
        );
        drop(lock);
        data_dir.lock().unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_what_to_do() {
        let temporary = tempfile::NamedTempFile::new().unwrap();
        let error = DataDir::prepare(&settings(temporary.path()))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot create ") && error.ends_with("with --data-dir"),
            "{error}"
        );
    }
}
