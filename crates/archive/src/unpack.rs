//! Unpacking: what an entry of an archive may do to a server's files.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use hatchery_serverfs::{Denylist, FsError, PathError, RelPath, ServerDir, Writer};
use hatchery_vocab::Timestamp;

use crate::reader::Counted;
use crate::{ArchiveError, Progress, Result, tarball};

/// How many entries a foreign archive may hold: empty files use no room of a disk limit.
const MAX_ENTRIES: u64 = 1_000_000;

/// How deep an entry of a foreign archive may lie, in directories.
const MAX_DEPTH: usize = 128;

/// How many times its own size a foreign archive may unpack to. Deflate itself ends at 1032; logs
/// and worlds stay below 50.
const MAX_RATIO: u64 = 250;

/// What any archive may unpack to, whatever its size.
const ALWAYS_ALLOWED: u64 = 256 * 1024 * 1024;

/// How many links a backup may hold. They are made last, and are kept in memory until then.
const MAX_LINKS: usize = 100_000;

/// How much is copied in one step.
pub(crate) const CHUNK: usize = 128 * 1024;

/// Who made an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Anybody: entries, depth and density are limited, links are left out, and files that are
    /// there already keep their permissions.
    Foreign,
    /// We, as a backup of this server: it comes back as it was.
    Backup,
}

/// How an archive is unpacked.
#[derive(Clone, Debug)]
pub struct Unpack {
    /// The directory that its names are told from.
    pub into: RelPath,
    /// Files that are passed over.
    pub denylist: Denylist,
    /// Who made it.
    pub origin: Origin,
}

/// Unpacks a `tar.gz` as it arrives. `each` hears of every file before it is written. After a
/// failure the files written already stay.
pub fn unpack_tar_gz(
    files: &ServerDir,
    how: &Unpack,
    input: impl Read,
    progress: &Progress,
    each: &mut dyn FnMut(&RelPath),
) -> Result<()> {
    let (input, size) = Counted::new(input);
    let mut target = Target::new(files, how, progress, each, size);
    tarball::unpack(MultiGzDecoder::new(input), &mut target)?;
    target.finish()
}

/// What an archive says about a file besides its content.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) permissions: Option<u32>,
    pub(crate) modified: Option<Timestamp>,
}

/// Where entries go, whatever kind of archive they come from.
pub(crate) struct Target<'a> {
    files: &'a ServerDir,
    how: &'a Unpack,
    progress: &'a Progress,
    each: &'a mut dyn FnMut(&RelPath),
    /// The size of the archive, or what was read of it by now.
    size: Rc<Cell<u64>>,
    entries: u64,
    written: u64,
    links: Vec<(RelPath, Vec<u8>)>,
}

impl<'a> Target<'a> {
    pub(crate) fn new(
        files: &'a ServerDir,
        how: &'a Unpack,
        progress: &'a Progress,
        each: &'a mut dyn FnMut(&RelPath),
        size: Rc<Cell<u64>>,
    ) -> Self {
        Self {
            files,
            how,
            progress,
            each,
            size,
            entries: 0,
            written: 0,
            links: Vec::new(),
        }
    }

    /// The path of an entry; nothing when it is to be passed over. Its name is cleaned by itself
    /// first, so that a `..` in it climbs no higher than the directory it is unpacked into.
    fn place(&mut self, name: &[u8]) -> Result<Option<RelPath>> {
        self.progress.advance(0)?;
        self.entries += 1;
        let name = RelPath::parse(name)?;
        if name.is_root() {
            return Ok(None);
        }
        if self.how.origin == Origin::Foreign {
            if self.entries > MAX_ENTRIES {
                return Err(ArchiveError::TooManyEntries(MAX_ENTRIES));
            }
            if name.parts().count() > MAX_DEPTH {
                return Err(PathError::TooLong.into());
            }
        }
        let path = self.how.into.join(name.as_bytes())?;
        Ok((!self.how.denylist.denies(&path)).then_some(path))
    }

    pub(crate) fn directory(&mut self, name: &[u8]) -> Result<()> {
        match self.place(name)? {
            Some(path) => Ok(self.files.create_directory(&path)?),
            None => Ok(()),
        }
    }

    pub(crate) fn file(
        &mut self,
        name: &[u8],
        attributes: Attributes,
        mut content: impl Read,
    ) -> Result<()> {
        let Some(path) = self.place(name)? else {
            return Ok(());
        };
        (self.each)(&path);
        let mut writer = self.open(&path)?;
        if let Some(modified) = attributes.modified {
            writer.set_modified(modified);
        }
        if let Some(permissions) = attributes.permissions
            && (self.how.origin == Origin::Backup || !writer.replaces())
        {
            writer.set_permissions(permissions);
        }
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = match content.read(&mut buffer) {
                Ok(0) => return Ok(writer.commit()?),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(error)),
            };
            self.grown(count as u64)?;
            writer.write(&buffer[..count])?;
        }
    }

    /// A second name of a file that was unpacked before: it becomes a copy.
    pub(crate) fn hard_link(&mut self, name: &[u8], original: &[u8]) -> Result<()> {
        let original = self.how.into.join(RelPath::parse(original)?.as_bytes())?;
        match self.files.open_file(&original) {
            Ok(open) => {
                let attributes = Attributes {
                    permissions: Some(open.entry.permissions),
                    modified: Some(open.entry.modified),
                };
                // It must not feed on itself.
                self.file(name, attributes, open.file.take(open.entry.size))
            }
            // The original was passed over, or is in no place where it could be.
            Err(FsError::NotFound | FsError::NotDirectory | FsError::NotRegular) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A symbolic link. One of a foreign archive is passed over: what is written through it would
    /// go elsewhere than the archive says.
    pub(crate) fn link(&mut self, name: &[u8], target: &[u8]) -> Result<()> {
        let path = self.place(name)?;
        if let (Some(path), Origin::Backup) = (path, self.how.origin)
            && self.links.len() < MAX_LINKS
        {
            self.links.push((path, target.to_vec()));
        }
        Ok(())
    }

    /// Makes the links, now that nothing can be written through them any more.
    pub(crate) fn finish(self) -> Result<()> {
        for (path, target) in self.links {
            self.progress.advance(0)?;
            match self.files.link(&path, &target) {
                Ok(()) | Err(FsError::Exists) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn open(&self, path: &RelPath) -> Result<Writer> {
        match self.files.write(path) {
            // What was a file when the backup was made has become a link.
            Err(FsError::NotRegular) if self.how.origin == Origin::Backup => {
                self.files.delete(path)?;
                Ok(self.files.write(path)?)
            }
            other => Ok(other?),
        }
    }

    fn grown(&mut self, bytes: u64) -> Result<()> {
        self.progress.advance(bytes)?;
        self.written = self.written.saturating_add(bytes);
        let proportionate = self.size.get().saturating_mul(MAX_RATIO);
        if self.how.origin == Origin::Foreign && self.written > proportionate.max(ALWAYS_ALLOWED) {
            return Err(ArchiveError::TooDense(MAX_RATIO));
        }
        Ok(())
    }
}

/// What an archive's own reader says.
pub(crate) fn unreadable(error: io::Error) -> ArchiveError {
    ArchiveError::carried(error, ArchiveError::Unreadable)
}
