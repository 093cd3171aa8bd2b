//! Deleting files and whole trees.

use std::ffi::CStr;

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, statat, unlinkat};
use rustix::io::Errno;

use crate::usage::size_at;
use crate::walk::{Visit, walk};
use crate::{Enter, FsError, RelPath, Result, ServerDir};

/// How often a directory that the server keeps filling is emptied again before we give up.
const ATTEMPTS: usize = 8;

impl ServerDir {
    /// Deletes a file, a link (not its target) or a directory with all that is in it. Returns
    /// whether there was anything: nothing to delete is no error.
    pub fn delete(&self, path: &RelPath) -> Result<bool> {
        let (parent, name) = match self.locate(path).and_then(|path| self.open_parent(&path)) {
            Err(FsError::NotFound | FsError::NotDirectory) => return Ok(false),
            other => other?,
        };
        for _ in 0..ATTEMPTS {
            let is_dir = match statat(&parent, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode).is_dir(),
                Err(Errno::NOENT) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let outcome = if is_dir {
                self.delete_dir(parent.as_fd(), &name)
            } else {
                self.unlink(parent.as_fd(), &name)
            };
            match outcome {
                Ok(()) => return Ok(true),
                // It was swapped for something else, or filled, since we looked.
                Err(
                    FsError::IsDirectory
                    | FsError::NotDirectory
                    | FsError::NotRegular
                    | FsError::Exists,
                ) => {}
                Err(error) => return Err(error),
            }
        }
        Err(FsError::Changed)
    }

    /// Deletes everything in the server's folder, but not the folder.
    pub fn clear(&self) -> Result<()> {
        walk(self.open_root()?, &mut Delete(self))
    }

    fn delete_dir(&self, parent: BorrowedFd<'_>, name: &CStr) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        walk(
            openat(parent, name, flags, Mode::empty())?,
            &mut Delete(self),
        )?;
        Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?)
    }

    fn unlink(&self, dir: BorrowedFd<'_>, name: &CStr) -> Result<()> {
        let size = size_at(dir, name)?;
        match unlinkat(dir, name, AtFlags::empty()) {
            Ok(()) => self.account().settle(0, 0, size),
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

struct Delete<'a>(&'a ServerDir);

impl Visit for Delete<'_> {
    fn entry(&mut self, dir: BorrowedFd<'_>, name: &CStr, kind: FileType) -> Result<Enter> {
        if kind != FileType::Directory {
            self.0.unlink(dir, name)?;
        }
        Ok(Enter::Yes)
    }

    fn left(&mut self, dir: BorrowedFd<'_>, name: &CStr) -> Result<()> {
        match unlinkat(dir, name, AtFlags::REMOVEDIR) {
            // Gone, swapped or filled again: whoever removes the directory above finds out.
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
