//! Going through a whole tree to read it, for those who pack it.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::path::c_string;
use crate::walk::{Visit, Way, walk};
use crate::{Entry, FsError, Kind, RelPath, Result, ServerDir, mime};

/// What to do with a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enter {
    /// Visit what is in it.
    Yes,
    /// Pass it over.
    No,
}

/// Something that a visit came upon.
#[derive(Debug)]
pub struct Found<'a> {
    dir: BorrowedFd<'a>,
    name: &'a CStr,
    /// Its path from the server's folder.
    pub path: RelPath,
    /// What it is.
    pub kind: Kind,
}

impl Found<'_> {
    /// What is known about it now, its media type left out; nothing when it is gone or became
    /// something else.
    pub fn entry(&self) -> Result<Option<Entry>> {
        match statat(self.dir, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if Kind::of(&stat) == self.kind => Ok(Some(self.described(&stat))),
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a regular file; nothing when it is gone or became something else.
    pub fn open(&self) -> Result<Option<(File, Entry)>> {
        let flags =
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match openat(self.dir, self.name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let stat = fstat(&file)?;
        let regular = Kind::of(&stat) == Kind::File;
        Ok(regular.then(|| (file, self.described(&stat))))
    }

    /// Where a link points, as it is written; nothing when it is gone or became something else.
    pub fn link_target(&self) -> Result<Option<CString>> {
        match readlinkat(self.dir, self.name, Vec::new()) {
            Ok(target) => Ok(Some(target)),
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn described(&self, stat: &rustix::fs::Stat) -> Entry {
        Entry::new(self.name.to_bytes(), stat, mime::OCTET_STREAM.into())
    }
}

impl ServerDir {
    /// Visits what the path names and, when that is a directory, everything beneath it, each
    /// directory before what is in it and the path itself unless it is the server's folder. What
    /// lies so deep that no path can name it ([`RelPath::MAX`]) is passed over with a word in the
    /// log. Nothing there is no error.
    pub fn visit(
        &self,
        path: &RelPath,
        mut each: impl FnMut(&Found<'_>) -> io::Result<Enter>,
    ) -> Result<()> {
        let path = self.locate(path)?;
        let Some(name) = path.name() else {
            return walk(self.open_root()?, &mut Tree::new(path, &mut each));
        };
        let parent = match self.open_dir(&path.parent()) {
            Err(FsError::NotFound | FsError::NotDirectory) => return Ok(()),
            other => other?,
        };
        let name = c_string(name);
        let kind = match statat(&parent, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Kind::of(&stat),
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let found = Found {
            dir: parent.as_fd(),
            name: &name,
            path: path.clone(),
            kind,
        };
        if each(&found)? == Enter::Yes && kind == Kind::Directory {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let dir = openat(&parent, &name, flags, Mode::empty())?;
            walk(dir, &mut Tree::new(path, &mut each))?;
        }
        Ok(())
    }
}

struct Tree<'a> {
    /// Where the visit began.
    from: RelPath,
    /// The directory whose entries are visited now.
    here: RelPath,
    each: &'a mut dyn FnMut(&Found<'_>) -> io::Result<Enter>,
}

impl<'a> Tree<'a> {
    fn new(from: RelPath, each: &'a mut dyn FnMut(&Found<'_>) -> io::Result<Enter>) -> Self {
        Self {
            here: from.clone(),
            from,
            each,
        }
    }
}

impl Visit for Tree<'_> {
    fn enter(&mut self, way: Way<'_>) -> Enter {
        let room = RelPath::MAX.saturating_sub(self.from.as_bytes().len() + 1);
        let here = way
            .joined(room)
            .and_then(|beneath| self.from.join(beneath).ok());
        let Some(here) = here else {
            tracing::warn!(above = %self.here, "a directory lies too deep to be visited");
            return Enter::No;
        };
        self.here = here;
        Enter::Yes
    }

    fn entry(&mut self, dir: BorrowedFd<'_>, name: &CStr, kind: FileType) -> Result<Enter> {
        let Ok(path) = self.here.join(name.to_bytes()) else {
            tracing::warn!(above = %self.here, "a file lies too deep to be visited");
            return Ok(Enter::No);
        };
        let found = Found {
            dir,
            name,
            path,
            kind: Kind::from(kind),
        };
        Ok((self.each)(&found)?)
    }
}
