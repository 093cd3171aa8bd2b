//! Listing a directory, and looking at one entry.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ffi::CStr;
use std::fs::File;

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use crate::open::sniff;
use crate::path::c_string;
use crate::walk::for_each_entry;
use crate::{Entry, FsError, Kind, RelPath, Result, ServerDir, mime};

/// How many entries of a directory are listed. It is far more than anybody reads, and there for the
/// server that makes millions of empty files, which must not fill the memory of whoever looks.
const MAX_ENTRIES: usize = 100_000;

impl ServerDir {
    /// Everything in a directory: directories first, then by name (the sane order of
    /// node-protocol.md §7.4).
    ///
    /// # Errors
    /// [`FsError::TooMany`] beyond a hundred thousand entries, besides the usual ones.
    pub fn list(&self, path: &RelPath) -> Result<Vec<Entry>> {
        self.list_at_most(path, MAX_ENTRIES)
    }

    /// The same with another limit.
    pub fn list_at_most(&self, path: &RelPath, limit: usize) -> Result<Vec<Entry>> {
        let dir = self.open_dir(&self.locate(path)?)?;
        let mut entries = Vec::new();
        for_each_entry(dir.as_fd(), |name, _| {
            if entries.len() == limit {
                return Err(FsError::TooMany { limit });
            }
            entries.extend(entry_at(dir.as_fd(), name)?);
            Ok(())
        })?;
        entries.sort_unstable_by(|one, other| {
            (Reverse(one.is_directory()), &one.name)
                .cmp(&(Reverse(other.is_directory()), &other.name))
        });
        Ok(entries)
    }

    /// What is known about one path; nothing when there is no such thing. A link is not followed.
    pub fn entry(&self, path: &RelPath) -> Result<Option<Entry>> {
        let path = self.locate(path)?;
        if path.is_root() {
            return Ok(Some(Entry::new(
                b"/",
                &fstat(self.root())?,
                Cow::Borrowed(mime::DIRECTORY),
            )));
        }
        match self.open_parent(&path) {
            Ok((parent, name)) => entry_at(parent.as_fd(), &name),
            Err(FsError::NotFound | FsError::NotDirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Finds a name that came from a listing and is not UTF-8. People see and send back such bytes
    /// as `U+FFFD`, which names nothing; when exactly one entry looks like that, it is meant.
    pub(crate) fn locate(&self, path: &RelPath) -> Result<RelPath> {
        const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
        let lossy = |name: &[u8]| {
            name.windows(REPLACEMENT.len())
                .any(|part| part == REPLACEMENT)
        };
        if !lossy(path.as_bytes()) {
            return Ok(path.clone());
        }
        let mut found = RelPath::root();
        for part in path.parts() {
            let mut real = None;
            if lossy(part) {
                real = self.only_lookalike(&found, part)?;
            }
            found.push(real.as_deref().unwrap_or(part));
        }
        Ok(found)
    }

    fn only_lookalike(&self, dir: &RelPath, part: &[u8]) -> Result<Option<Vec<u8>>> {
        let dir = self.open_dir(dir)?;
        if statat(&dir, c_string(part), AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return Ok(None);
        }
        let mut alike = Vec::new();
        for_each_entry(dir.as_fd(), |name, _| {
            let name = name.to_bytes();
            if alike.len() < 2 && String::from_utf8_lossy(name).as_bytes() == part {
                alike.push(name.to_owned());
            }
            Ok(())
        })?;
        Ok(if alike.len() == 1 { alike.pop() } else { None })
    }
}

/// One entry of an open directory; nothing when it is gone.
fn entry_at(dir: BorrowedFd<'_>, name: &CStr) -> Result<Option<Entry>> {
    let stat = match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mime = mime_at(dir, name, &stat);
    Ok(Some(Entry::new(name.to_bytes(), &stat, mime)))
}

fn mime_at(dir: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> Cow<'static, str> {
    match Kind::of(stat) {
        Kind::Directory => Cow::Borrowed(mime::DIRECTORY),
        Kind::File => {
            let flags = OFlags::RDONLY
                | OFlags::NONBLOCK
                | OFlags::NOFOLLOW
                | OFlags::NOCTTY
                | OFlags::CLOEXEC;
            match openat(dir, name, flags, Mode::empty()) {
                Ok(file) => sniff(&name.to_string_lossy(), &File::from(file)),
                Err(_) => Cow::Borrowed(mime::OCTET_STREAM),
            }
        }
        _ => Cow::Borrowed(mime::OCTET_STREAM),
    }
}
