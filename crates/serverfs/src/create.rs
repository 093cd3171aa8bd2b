//! Creating directories.

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, fchmod, mkdirat, openat};
use rustix::io::Errno;

use crate::path::c_string;
use crate::{FsError, RelPath, Result, ServerDir};

impl ServerDir {
    /// Creates a directory and those above it, with mode 0755 and the server's owner. One that
    /// exists is fine; something else in its place is [`FsError::NotDirectory`].
    pub fn create_directory(&self, path: &RelPath) -> Result<()> {
        self.open_or_create_dir(path).map(drop)
    }

    /// Opens a directory, creating what is missing of it.
    pub(crate) fn open_or_create_dir(&self, path: &RelPath) -> Result<OwnedFd> {
        match self.open_dir(path) {
            Err(FsError::NotFound) => {}
            other => return other,
        }
        let mut dir = self.open_root()?;
        let mut reached = RelPath::root();
        for part in path.parts() {
            reached.push(part);
            dir = match self.open_dir(&reached) {
                Err(FsError::NotFound) => self.create_in(&dir, part)?,
                other => other?,
            };
        }
        Ok(dir)
    }

    fn create_in(&self, parent: &OwnedFd, name: &[u8]) -> Result<OwnedFd> {
        let name = c_string(name);
        let created = match mkdirat(parent, &name, Mode::from_raw_mode(0o755)) {
            Ok(()) => true,
            // Someone else was faster.
            Err(Errno::EXIST) => false,
            Err(error) => return Err(error.into()),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = openat(parent, &name, flags, Mode::empty())?;
        if created {
            // Whatever the umask took away.
            fchmod(&dir, Mode::from_raw_mode(0o755))?;
            self.owner()?.take(&dir)?;
        }
        Ok(dir)
    }
}
