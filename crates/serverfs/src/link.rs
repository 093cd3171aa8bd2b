//! Making symbolic links.

use std::ffi::CString;

use rustix::fs::{AtFlags, Gid, Uid, chownat, symlinkat};
use rustix::io::Errno;

use crate::path::c_string;
use crate::{FsError, PathError, RelPath, Result, ServerDir};

impl ServerDir {
    /// Makes a symbolic link with the server's owner, and the directories above it. The target is
    /// kept as it is written: nothing here ever follows it out of the server's folder. A name that
    /// is taken is [`FsError::Exists`].
    pub fn link(&self, path: &RelPath, target: &[u8]) -> Result<()> {
        let name = c_string(path.name().ok_or(FsError::Root)?);
        let target = CString::new(target).map_err(|_| PathError::Nul)?;
        let parent = self.open_or_create_dir(&path.parent())?;
        symlinkat(&target, &parent, &name)?;
        let owner = self.owner()?;
        let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
        match chownat(
            &parent,
            &name,
            Some(uid),
            Some(gid),
            AtFlags::SYMLINK_NOFOLLOW,
        ) {
            // Without privileges nothing can be given away.
            Err(Errno::PERM) => Ok(()),
            other => Ok(other?),
        }
    }
}
