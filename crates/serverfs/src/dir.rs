//! The held descriptor, and the one way from a [`RelPath`] to an open file.

use std::ffi::CString;
use std::path::Path;
use std::sync::Arc;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use crate::account::Account;
use crate::path::c_string;
use crate::{FsError, RelPath, Result};

/// How often the kernel may find that a directory moved while it resolved a path, before we give
/// up. It says so only when a `..` inside a link races with a rename.
const RESOLVE_ATTEMPTS: usize = 64;

/// One server's folder, held open. Every operation on the server's files is a method of it, and
/// none can reach anything outside, whatever the server does meanwhile.
#[derive(Debug)]
pub struct ServerDir {
    root: OwnedFd,
    resolver: Resolver,
    account: Arc<Account>,
}

/// Who resolves paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolver {
    /// The kernel, in one step (Linux 5.6 and later).
    Kernel,
    /// We, part by part without following any link. Stricter than the kernel, which follows links
    /// that stay inside.
    Parts,
}

impl ServerDir {
    /// Opens a server's folder. New files in it are given to the folder's owner.
    pub fn open(path: &Path) -> Result<Self> {
        let root = openat(CWD, path, DIRECTORY, Mode::empty())?;
        let resolver = match openat2(&root, c".", DIRECTORY, Mode::empty(), BENEATH) {
            Ok(_) => Resolver::Kernel,
            // Old kernels do not know the call, and some container sandboxes forbid it.
            Err(Errno::NOSYS | Errno::PERM) => Resolver::Parts,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            root,
            resolver,
            account: Arc::default(),
        })
    }

    /// Creates the folder of a new server; one that exists is fine.
    pub fn create(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)?;
        Self::open(path)
    }

    /// The same folder, without the help of `openat2`: what a kernel that lacks it gets.
    #[must_use]
    pub fn resolving_by_parts(mut self) -> Self {
        self.resolver = Resolver::Parts;
        self
    }

    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// A second, independent descriptor of the folder, to read its entries from.
    pub(crate) fn open_root(&self) -> Result<OwnedFd> {
        Ok(openat(&self.root, c".", DIRECTORY, Mode::empty())?)
    }

    /// Opens what the path names. A link as its last part is an error.
    pub(crate) fn open_at(&self, path: &RelPath, flags: OFlags) -> Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match self.resolver {
            Resolver::Kernel => self.open_beneath(path, flags),
            Resolver::Parts => self.open_by_parts(path, flags),
        }
    }

    /// Opens a directory to read its entries.
    pub(crate) fn open_dir(&self, path: &RelPath) -> Result<OwnedFd> {
        self.open_at(path, DIRECTORY)
    }

    /// The directory that holds what the path names, and the name in it.
    pub(crate) fn open_parent(&self, path: &RelPath) -> Result<(OwnedFd, CString)> {
        let name = c_string(path.name().ok_or(FsError::Root)?);
        Ok((self.open_dir(&path.parent())?, name))
    }

    fn open_beneath(&self, path: &RelPath, flags: OFlags) -> Result<OwnedFd> {
        let name = path.to_c();
        for _ in 0..RESOLVE_ATTEMPTS {
            match openat2(&self.root, &name, flags, Mode::empty(), BENEATH) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::XDEV) => return Err(FsError::Escape),
                other => return Ok(other?),
            }
        }
        Err(FsError::Changed)
    }

    fn open_by_parts(&self, path: &RelPath, flags: OFlags) -> Result<OwnedFd> {
        let Some(name) = path.name() else {
            return Ok(openat(&self.root, c".", flags, Mode::empty())?);
        };
        let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut dir = openat(&self.root, c".", through, Mode::empty())?;
        for part in path.parent().parts() {
            dir = openat(&dir, part, through, Mode::empty())?;
        }
        Ok(openat(&dir, name, flags, Mode::empty())?)
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);
