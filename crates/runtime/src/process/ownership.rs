//! Gives a server's folder to the server's user.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use hatchery_sandbox::Identity;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Stat, Uid, chownat, openat, statat,
};
use rustix::io::Errno;

use crate::RuntimeError;

/// How deep a tree is walked. Deeper folders stay as they are.
const MAX_DEPTH: usize = 256;

/// Gives everything in the folder that is someone else's to the server's user. Links are never
/// followed. Only root can, and only root has to.
pub(super) fn give(root: &Path, identity: Identity) -> Result<(), RuntimeError> {
    let failed =
        |error: Errno| RuntimeError::failed("giving the server's folder to its user", error);
    if !root.is_absolute() {
        return Err(failed(Errno::INVAL));
    }
    let folder = openat(CWD, root, folder_flags(), Mode::empty()).map_err(failed)?;
    if identity.user_namespace {
        return Ok(());
    }
    let owner = Owner {
        uid: Uid::from_raw(identity.uid),
        gid: Gid::from_raw(identity.gid),
    };
    let stat = rustix::fs::fstat(&folder).map_err(failed)?;
    if owner.differs(&stat) {
        rustix::fs::fchown(&folder, Some(owner.uid), Some(owner.gid)).map_err(failed)?;
    }
    owner.walk(folder, MAX_DEPTH).map_err(failed)
}

#[derive(Clone, Copy)]
struct Owner {
    uid: Uid,
    gid: Gid,
}

impl Owner {
    fn differs(self, stat: &Stat) -> bool {
        stat.st_uid != self.uid.as_raw() || stat.st_gid != self.gid.as_raw()
    }

    fn walk(self, folder: OwnedFd, depth: usize) -> Result<(), Errno> {
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            match self.give_entry(&folder, name, depth) {
                // It was deleted or exchanged meanwhile, by whom the folder belongs to.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn give_entry(self, folder: &OwnedFd, name: &CStr, depth: usize) -> Result<(), Errno> {
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if self.differs(&stat) {
            chownat(
                folder,
                name,
                Some(self.uid),
                Some(self.gid),
                AtFlags::SYMLINK_NOFOLLOW,
            )?;
        }
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory && depth > 0 {
            let inner = openat(folder.as_fd(), name, folder_flags(), Mode::empty())?;
            self.walk(inner, depth - 1)?;
        }
        Ok(())
    }
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}
