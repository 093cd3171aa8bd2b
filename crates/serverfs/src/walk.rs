//! A walk through a whole tree that neither recursion, open files nor path lengths bound.
//!
//! A program can nest directories far deeper than a path can name. So the walk holds one directory
//! open and goes back up by `..`, but only into the very directory that it came from (compared by
//! device and inode); when that moved meanwhile, it comes down again from the root. Directories are
//! entered by `openat` with `O_NOFOLLOW`, so the walk never leaves the tree through a link.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, fstat, openat, statat};
use rustix::io::Errno;

use crate::tree::Enter;
use crate::{FsError, Result};

/// Room for the names that the kernel hands over at once.
const DIRENTS: usize = 32 * 1024;

/// What a walk does.
pub(crate) trait Visit {
    /// At every entry, and whether to enter it later when it is a directory.
    fn entry(&mut self, dir: BorrowedFd<'_>, name: &CStr, kind: FileType) -> Result<Enter>;

    /// Before the entries of a directory are visited: whether it stays at that.
    fn enter(&mut self, _way: Way<'_>) -> Enter {
        Enter::Yes
    }

    /// At every directory once all that is in it was visited.
    fn left(&mut self, _dir: BorrowedFd<'_>, _name: &CStr) -> Result<()> {
        Ok(())
    }
}

/// A directory on the way from the root to where the walk is.
pub(crate) struct Level {
    name: CString,
    id: (u64, u64),
    /// Directories in it that are still to be entered.
    pending: Vec<CString>,
}

/// The way from where a walk began to a directory that it is about to enter.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    above: &'a [Level],
    name: &'a CStr,
}

impl Way<'_> {
    /// The names, joined by `/`; nothing when that would be longer than `most` bytes. The check
    /// comes first: a server can nest its directories so deep that the text fills the memory.
    pub(crate) fn joined(self, most: usize) -> Option<Vec<u8>> {
        let names = || {
            let above = self.above.iter().skip(1).map(|level| level.name.as_c_str());
            above.chain([self.name])
        };
        let mut length = 0;
        for name in names() {
            length += name.to_bytes().len() + 1;
            if length > most + 1 {
                return None;
            }
        }
        let parts: Vec<_> = names().map(CStr::to_bytes).collect();
        Some(parts.join(&b'/'))
    }
}

/// Visits everything beneath `root`, which needs a descriptor with its own position.
pub(crate) fn walk(root: OwnedFd, visit: &mut impl Visit) -> Result<()> {
    let mut here = openat(&root, c".", DIRECTORY, Mode::empty())?;
    let mut levels = vec![level(CString::default(), &here, visit)?];
    while let Some(top) = levels.last_mut() {
        if let Some(name) = top.pending.pop() {
            let way = Way {
                above: &levels,
                name: &name,
            };
            if visit.enter(way) == Enter::No {
                continue;
            }
            match openat(&here, &name, DIRECTORY, Mode::empty()) {
                Ok(entered) => {
                    levels.push(level(name, &entered, visit)?);
                    here = entered;
                }
                // It went away, or something else took its place: no directory to enter.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(error.into()),
            }
        } else if let Some(done) = levels.pop()
            && let Some(parent) = levels.last()
        {
            let up = openat(&here, c"..", DIRECTORY, Mode::empty())?;
            if id(&up)? == parent.id {
                here = up;
                visit.left(here.as_fd(), &done.name)?;
            } else {
                here = descend(&root, &mut levels)?;
            }
        }
    }
    Ok(())
}

/// Lists one directory, and passes its entries to the visitor.
fn level(name: CString, dir: &OwnedFd, visit: &mut impl Visit) -> Result<Level> {
    let mut pending = Vec::new();
    for_each_entry(dir.as_fd(), |entry, kind| {
        let enter = visit.entry(dir.as_fd(), entry, kind)?;
        if kind == FileType::Directory && enter == Enter::Yes {
            pending.push(entry.to_owned());
        }
        Ok(())
    })?;
    Ok(Level {
        name,
        id: id(dir)?,
        pending,
    })
}

/// Goes down again from the root as far as the way still exists, and forgets the rest of it.
fn descend(root: &OwnedFd, levels: &mut Vec<Level>) -> Result<OwnedFd> {
    let mut here = openat(root, c".", DIRECTORY, Mode::empty())?;
    for depth in 1..levels.len() {
        match openat(&here, &levels[depth].name, DIRECTORY, Mode::empty()) {
            Ok(entered) if id(&entered)? == levels[depth].id => here = entered,
            _ => {
                levels.truncate(depth);
                break;
            }
        }
    }
    Ok(here)
}

/// Calls `each` for every entry of a directory, with its type, `.` and `..` left out. The
/// descriptor's position moves to the end.
pub(crate) fn for_each_entry(
    dir: BorrowedFd<'_>,
    mut each: impl FnMut(&CStr, FileType) -> Result<()>,
) -> Result<()> {
    let mut buffer = vec![MaybeUninit::uninit(); DIRENTS];
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems do not tell.
            FileType::Unknown => match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            },
            known => known,
        };
        each(name, kind)?;
    }
    Ok(())
}

fn id(dir: &OwnedFd) -> Result<(u64, u64)> {
    let stat = fstat(dir).map_err(FsError::from)?;
    Ok((stat.st_dev, stat.st_ino))
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
