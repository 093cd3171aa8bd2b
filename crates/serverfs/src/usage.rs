//! Measuring what a server keeps.

use std::ffi::CStr;

use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, FileType, statat};
use rustix::io::Errno;

use crate::walk::{Visit, walk};
use crate::{Enter, Result, ServerDir};

impl ServerDir {
    /// Walks through all files and returns the sum of their sizes in bytes, from which
    /// [`ServerDir::disk_usage`] goes on. Directories and links count nothing, hard links every
    /// time (node-protocol.md §7.2).
    pub fn measure(&self) -> Result<u64> {
        let mut sum = Sum(0);
        walk(self.open_root()?, &mut sum)?;
        self.account().measured(sum.0);
        Ok(sum.0)
    }
}

struct Sum(u64);

impl Visit for Sum {
    fn entry(&mut self, dir: BorrowedFd<'_>, name: &CStr, kind: FileType) -> Result<Enter> {
        if kind == FileType::RegularFile {
            self.0 = self.0.saturating_add(size_at(dir, name)?);
        }
        Ok(Enter::Yes)
    }
}

/// The size of a regular file; zero for anything else and for what is gone.
pub(crate) fn size_at(dir: BorrowedFd<'_>, name: &CStr) -> Result<u64> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_file() => {
            Ok(u64::try_from(stat.st_size).unwrap_or(0))
        }
        Ok(_) | Err(Errno::NOENT) => Ok(0),
        Err(error) => Err(error.into()),
    }
}
