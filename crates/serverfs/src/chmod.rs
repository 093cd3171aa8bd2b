//! Changing permission bits.

use rustix::fs::{Mode, OFlags, chmod, fstat};

use crate::{FsError, Kind, RelPath, Result, ServerDir};

impl ServerDir {
    /// Sets the permission bits of a file or directory. Bits above 0777 are left out: no file of a
    /// server becomes set-user-id through us. Links, pipes and devices are refused.
    pub fn chmod(&self, path: &RelPath, permissions: u32) -> Result<()> {
        // A descriptor that only names the file opens even what may not be read. `fchmod` does not
        // take such descriptors, so the kernel's own name for it is used, which is no path that
        // anybody could change: it leads to this very inode.
        let file = self.open_at(&self.locate(path)?, OFlags::PATH)?;
        match Kind::of(&fstat(&file)?) {
            Kind::File | Kind::Directory => {}
            _ => return Err(FsError::NotRegular),
        }
        Ok(chmod(
            crate::scratch::kernel_name(&file),
            Mode::from_raw_mode(permissions & 0o777),
        )?)
    }
}
