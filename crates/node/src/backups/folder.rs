//! The folder of archives. No server can reach it: it lies beside their folders, and the names in it
//! are the node's own.

#![expect(
    clippy::disallowed_methods,
    reason = "the node's own folder, which no server can reach"
)]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hatchery_vocab::{BackupUuid, ServerUuid};

/// How an archive's name ends.
const ARCHIVE: &str = ".tar.gz";
/// How the name of one ends that is not complete.
const DRAFT: &str = ".tar.gz.draft";

/// The folder: one folder for each server, with one file for each backup. The reference's daemon
/// keeps them without folders of servers; such ones are found too.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Begins an archive.
    pub(super) fn draft(&self, server: ServerUuid, backup: BackupUuid) -> io::Result<Draft> {
        let folder = self.of(server);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let path = folder.join(format!("{backup}{DRAFT}"));
        let file = private().create(true).truncate(true).open(&path)?;
        Ok(Draft {
            file,
            path,
            complete: folder.join(format!("{backup}{ARCHIVE}")),
            folder,
        })
    }

    /// A file without a name, for an archive that is only passing through.
    pub(super) fn passing(&self, server: ServerUuid) -> io::Result<File> {
        let folder = self.of(server);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let flags = rustix::fs::OFlags::TMPFILE.bits();
        private().custom_flags(flags.cast_signed()).open(folder)
    }

    /// Opens a complete archive; nothing where there is none.
    pub(super) fn open(&self, server: ServerUuid, backup: BackupUuid) -> io::Result<Option<File>> {
        for path in self.places(server, backup) {
            match File::open(path) {
                Ok(file) => return Ok(Some(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Deletes an archive. Says whether there was one.
    pub(super) fn delete(&self, server: ServerUuid, backup: BackupUuid) -> io::Result<bool> {
        for path in self.places(server, backup) {
            match fs::remove_file(path) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Deletes all archives of a server.
    pub(super) fn delete_all(&self, server: ServerUuid) -> io::Result<()> {
        match fs::remove_dir_all(self.of(server)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Deletes what is not complete.
    pub(super) fn delete_draft(&self, server: ServerUuid, backup: BackupUuid) {
        remove(&self.of(server).join(format!("{backup}{DRAFT}")));
    }

    /// Everything that is not complete. A folder that cannot be read has none.
    pub(super) fn drafts(&self) -> Vec<(ServerUuid, BackupUuid)> {
        let mut drafts = Vec::new();
        for (name, path) in entries(&self.0) {
            let Ok(server) = name.parse() else { continue };
            for (name, _) in entries(&path) {
                let backup = name.strip_suffix(DRAFT).map(str::parse);
                if let Some(Ok(backup)) = backup {
                    drafts.push((server, backup));
                }
            }
        }
        drafts
    }

    fn of(&self, server: ServerUuid) -> PathBuf {
        self.0.join(server.to_string())
    }

    /// Where an archive may be: in the server's folder, or where the reference's daemon put it.
    fn places(&self, server: ServerUuid, backup: BackupUuid) -> [PathBuf; 2] {
        let name = format!("{backup}{ARCHIVE}");
        [self.of(server).join(&name), self.0.join(name)]
    }
}

/// An archive that is being made. Forgotten, it stays for [`Folder::drafts`] to find.
#[derive(Debug)]
pub(super) struct Draft {
    file: File,
    path: PathBuf,
    complete: PathBuf,
    folder: PathBuf,
}

impl Draft {
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the archive its name, for good.
    pub(super) fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.complete)?;
        File::open(&self.folder)?.sync_all()
    }

    /// Deletes it.
    pub(super) fn discard(self) {
        remove(&self.path);
    }
}

/// Only the node's own user reads archives.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a file of a backup could not be deleted");
    }
}

/// The entries of a folder with names that are text.
fn entries(path: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
}
