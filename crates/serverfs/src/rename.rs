//! Renaming and moving.

use rustix::fs::{AtFlags, RenameFlags, renameat, renameat_with, statat};
use rustix::io::Errno;

use crate::path::c_string;
use crate::{FsError, RelPath, Result, ServerDir};

impl ServerDir {
    /// Moves something to a path where nothing is yet, creating the directories above it. A link is
    /// moved itself.
    pub fn rename(&self, from: &RelPath, to: &RelPath) -> Result<()> {
        let from = self.locate(from)?;
        let (source, source_name) = self.open_parent(&from)?;
        // Nothing is created for a source that is not there.
        statat(&source, &source_name, AtFlags::SYMLINK_NOFOLLOW)?;
        let target_name = c_string(to.name().ok_or(FsError::Root)?);
        if from != *to && to.starts_with(&from) {
            return Err(FsError::IntoItself);
        }
        let target = self.open_or_create_dir(&to.parent())?;
        match renameat_with(
            &source,
            &source_name,
            &target,
            &target_name,
            RenameFlags::NOREPLACE,
        ) {
            // File systems that cannot refuse to replace, such as NFS: look first. The gap between
            // the two calls can only cost this server a file of its own.
            Err(Errno::INVAL | Errno::NOSYS) => {
                match statat(&target, &target_name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(_) => Err(FsError::Exists),
                    Err(Errno::NOENT) => {
                        Ok(renameat(&source, &source_name, &target, &target_name)?)
                    }
                    Err(error) => Err(error.into()),
                }
            }
            other => Ok(other?),
        }
    }
}
