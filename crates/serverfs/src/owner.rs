//! Whose the files are: the user and group that own a server's folder own all that is in it.

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, Gid, Uid, chownat, fchown, fstat};
use rustix::io::Errno;

use crate::walk::{Visit, walk};
use crate::{FsError, Result, ServerDir};

/// The user and group that the server runs as, and that all its files belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The numeric user id.
    pub uid: u32,
    /// The numeric group id.
    pub gid: u32,
}

impl Owner {
    fn ids(self) -> (Option<Uid>, Option<Gid>) {
        (Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)))
    }
}

impl ServerDir {
    /// Gives the folder and everything in it to the server. Links are given away themselves, never
    /// their targets.
    pub fn give_to(&self, owner: Owner) -> Result<()> {
        let (uid, gid) = owner.ids();
        fchown(self.root(), uid, gid)?;
        walk(self.open_root()?, &mut Chown(owner))
    }

    /// Gives one new file or directory to whom the server's folder belongs.
    pub(crate) fn give(&self, fd: impl AsFd) -> Result<()> {
        let (folder, new) = (fstat(self.root())?, fstat(&fd)?);
        if (folder.st_uid, folder.st_gid) == (new.st_uid, new.st_gid) {
            return Ok(());
        }
        match fchown(
            fd,
            Some(Uid::from_raw(folder.st_uid)),
            Some(Gid::from_raw(folder.st_gid)),
        ) {
            // Without privileges nothing can be given away; then the server runs as we do, or the
            // engine maps its user.
            Err(Errno::PERM) => Ok(()),
            other => Ok(other?),
        }
    }
}

struct Chown(Owner);

impl Visit for Chown {
    fn entry(&mut self, dir: BorrowedFd<'_>, name: &std::ffi::CStr, _: FileType) -> Result<()> {
        let (uid, gid) = self.0.ids();
        match chownat(dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW).map_err(FsError::from) {
            // It went away meanwhile.
            Err(FsError::NotFound) => Ok(()),
            other => other,
        }
    }
}
