//! Whose the files are: the user and group that own a server's folder own all that is in it.

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, Gid, Uid, chownat, fchown, fstat, statat};
use rustix::io::Errno;

use crate::walk::{Visit, walk};
use crate::{Enter, FsError, Result, ServerDir};

/// The user and group that the server runs as, and that all its files belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The numeric user id.
    pub uid: u32,
    /// The numeric group id.
    pub gid: u32,
}

impl Owner {
    /// Gives one new file or directory away.
    pub(crate) fn take(self, new: impl AsFd) -> Result<()> {
        let stat = fstat(&new)?;
        if (stat.st_uid, stat.st_gid) == (self.uid, self.gid) {
            return Ok(());
        }
        let (uid, gid) = self.ids();
        match fchown(new, uid, gid) {
            // Without privileges nothing can be given away; then the server runs as we do, or the
            // engine maps its user.
            Err(Errno::PERM) => Ok(()),
            other => Ok(other?),
        }
    }

    fn ids(self) -> (Option<Uid>, Option<Gid>) {
        (Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)))
    }
}

impl ServerDir {
    /// Gives the folder and everything in it to the server; what belongs to it already is not
    /// touched. Links are given away themselves, never their targets.
    pub fn give_to(&self, owner: Owner) -> Result<()> {
        let (uid, gid) = owner.ids();
        fchown(self.root(), uid, gid)?;
        walk(self.open_root()?, &mut Chown(owner))
    }

    /// To whom new files belong: the owner of the folder.
    pub(crate) fn owner(&self) -> Result<Owner> {
        let folder = fstat(self.root())?;
        Ok(Owner {
            uid: folder.st_uid,
            gid: folder.st_gid,
        })
    }
}

struct Chown(Owner);

impl Visit for Chown {
    fn entry(&mut self, dir: BorrowedFd<'_>, name: &std::ffi::CStr, _: FileType) -> Result<Enter> {
        let (uid, gid) = self.0.ids();
        match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if (stat.st_uid, stat.st_gid) == (self.0.uid, self.0.gid) => {
                return Ok(Enter::Yes);
            }
            _ => {}
        }
        match chownat(dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW).map_err(FsError::from) {
            // It went away meanwhile.
            Ok(()) | Err(FsError::NotFound) => Ok(Enter::Yes),
            Err(error) => Err(error),
        }
    }
}
