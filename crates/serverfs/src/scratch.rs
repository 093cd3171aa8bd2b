//! A file that has no place yet.
//!
//! New content is written beside its target and put in place in one step when it is complete, so
//! that a reader sees the old file or the new one, and an upload that breaks off leaves nothing.
//! Rewriting in place (as node-protocol.md §7.5 describes it) would destroy a world or a
//! configuration when the disk fills up or the connection breaks half-way, and would write through
//! hard links. What it costs: a program that holds the old file open keeps seeing the old content.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;

use crate::{FsError, Result};

/// Names of unfinished files start like this, where the file system cannot do without a name.
const PREFIX: &str = ".hatchery-unfinished-";

/// How many taken names are tried. A name can be taken only by what an earlier process left.
const NAME_ATTEMPTS: usize = 1000;

/// An unfinished file in a directory. Dropping it leaves no trace.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: OwnedFd,
    file: File,
    /// The name that has to go when the file does not get its place. Most file systems can hold a
    /// file without a name (`O_TMPFILE`), so that not even a crash leaves anything.
    name: Option<CString>,
}

impl Scratch {
    pub(crate) fn new(dir: OwnedFd) -> Result<Self> {
        let private = Mode::from_raw_mode(0o600);
        match openat(
            &dir,
            c".",
            OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC,
            private,
        ) {
            Ok(file) => {
                return Ok(Self {
                    dir,
                    file: file.into(),
                    name: None,
                });
            }
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (file, name) = with_fresh_name(|name| Ok(openat(&dir, name, flags, private)?))?;
        Ok(Self {
            dir,
            file: file.into(),
            name: Some(name),
        })
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn file_mut(&mut self) -> &mut File {
        &mut self.file
    }

    pub(crate) fn dir(&self) -> &OwnedFd {
        &self.dir
    }

    /// Puts the file in its place, instead of whatever file is there.
    pub(crate) fn replace(mut self, target: &CStr) -> Result<()> {
        let name = if let Some(name) = &self.name {
            name.clone()
        } else {
            // Only a rename replaces, and only a name can be renamed.
            let ((), name) = with_fresh_name(|name| self.link(name))?;
            self.name.insert(name).clone()
        };
        renameat(&self.dir, &name, &self.dir, target)?;
        self.name = None;
        Ok(())
    }

    /// Puts the file in its place unless the name is taken ([`FsError::Exists`]).
    pub(crate) fn place(&mut self, target: &CStr) -> Result<()> {
        match self.name.take() {
            None => self.link(target),
            Some(name) => {
                let placed =
                    renameat_with(&self.dir, &name, &self.dir, target, RenameFlags::NOREPLACE);
                if placed.is_err() {
                    self.name = Some(name);
                }
                Ok(placed?)
            }
        }
    }

    fn link(&self, name: &CStr) -> Result<()> {
        Ok(linkat(
            CWD,
            kernel_name(&self.file),
            &self.dir,
            name,
            AtFlags::SYMLINK_FOLLOW,
        )?)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // There is nobody to tell, and the next walk counts what stays.
            let _ = unlinkat(&self.dir, name, AtFlags::empty());
        }
    }
}

/// Calls `take` with names until one was free.
fn with_fresh_name<T>(mut take: impl FnMut(&CStr) -> Result<T>) -> Result<(T, CString)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    for _ in 0..NAME_ATTEMPTS {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name =
            crate::path::c_string(format!("{PREFIX}{}-{number}", std::process::id()).as_bytes());
        match take(&name) {
            Err(FsError::Exists) => {}
            other => return Ok((other?, name)),
        }
    }
    Err(FsError::Changed)
}

/// The name by which this process can reach an open file, whatever happened to its path.
pub(crate) fn kernel_name(fd: &impl AsFd) -> CString {
    crate::path::c_string(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()).as_bytes())
}
