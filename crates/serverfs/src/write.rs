//! Writing files.

use std::ffi::CString;
use std::io::Write as _;

use hatchery_vocab::Timestamp;
use rustix::fs::{AtFlags, FileType, Mode, Timespec, Timestamps, fchmod, futimens, statat};
use rustix::io::Errno;

use crate::account::Reservation;
use crate::path::c_string;
use crate::scratch::Scratch;
use crate::{FsError, Owner, RelPath, Result, ServerDir};

/// A file being written. It appears at its path, complete, with [`Writer::commit`]; dropped before
/// that, it leaves nothing behind and the old file as it was.
#[derive(Debug)]
pub struct Writer {
    scratch: Scratch,
    name: CString,
    owner: Owner,
    /// What the file that will be replaced gives back, when there is one.
    replaces: Option<u64>,
    permissions: Option<u32>,
    modified: Option<Timestamp>,
    written: u64,
    reservation: Reservation,
}

impl ServerDir {
    /// Begins to write a file, creating the directories above it. The disk limit is checked with
    /// every write: what is there already plus the growth must fit. A link, pipe or device is never
    /// replaced.
    pub fn write(&self, path: &RelPath) -> Result<Writer> {
        let path = self.locate(path)?;
        let name = c_string(path.name().ok_or(FsError::IsDirectory)?);
        let scratch = Scratch::new(self.open_or_create_dir(&path.parent())?)?;
        let replaces = target(&scratch, &name)?.map(|(size, _)| size);
        Ok(Writer {
            scratch,
            name,
            owner: self.owner()?,
            replaces,
            permissions: None,
            modified: None,
            written: 0,
            reservation: Reservation::new(self),
        })
    }
}

impl Writer {
    /// Adds bytes at the end.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.written.saturating_add(bytes.len() as u64);
        self.reservation
            .grow_to(written.saturating_sub(self.replaces.unwrap_or(0)))?;
        self.scratch.file_mut().write_all(bytes)?;
        self.written = written;
        Ok(())
    }

    /// How many bytes were written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Whether there was a file of that name when the writing began.
    pub fn replaces(&self) -> bool {
        self.replaces.is_some()
    }

    /// Gives the finished file these permission bits, of which those above 0777 are left out.
    pub fn set_permissions(&mut self, permissions: u32) {
        self.permissions = Some(permissions & 0o777);
    }

    /// Gives the finished file this time of its last change.
    pub fn set_modified(&mut self, modified: Timestamp) {
        self.modified = Some(modified);
    }

    /// Puts the file in its place with the server's owner, and with the mode that was set, else that
    /// of the file that it replaces, else 0644.
    pub fn commit(self) -> Result<()> {
        let (old, mode) =
            target(&self.scratch, &self.name)?.unwrap_or((0, Mode::from_raw_mode(0o644)));
        let mode = self.permissions.map_or(mode, Mode::from_raw_mode);
        if let Some(modified) = self.modified {
            let time = Timespec {
                tv_sec: modified.seconds(),
                tv_nsec: 0,
            };
            let times = Timestamps {
                last_access: time,
                last_modification: time,
            };
            futimens(self.scratch.file(), &times)?;
        }
        self.owner.take(self.scratch.file())?;
        fchmod(self.scratch.file(), mode)?;
        self.scratch.replace(&self.name)?;
        self.reservation.settle(self.written, old);
        Ok(())
    }
}

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Self::write(self, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Size and mode of the file that a write would replace.
fn target(scratch: &Scratch, name: &CString) -> Result<Option<(u64, Mode)>> {
    match statat(scratch.dir(), name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                let mode = Mode::from_raw_mode(stat.st_mode & 0o777);
                Ok(Some((u64::try_from(stat.st_size).unwrap_or(0), mode)))
            }
            FileType::Directory => Err(FsError::IsDirectory),
            _ => Err(FsError::NotRegular),
        },
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
