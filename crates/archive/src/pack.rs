//! Packing files into a `tar.gz`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use hatchery_serverfs::{Enter, Entry, Found, Kind, RelPath, ServerDir};
use tar::{Builder, EntryType, Header};

use crate::{ArchiveError, Ignored, Progress, Result};

/// Worlds and mods are compressed already, and a running game needs the processor more than the
/// disk needs the last percent.
const LEVEL: Compression = Compression::fast();

/// Which files are packed.
#[derive(Clone, Debug)]
pub struct Selection {
    base: RelPath,
    roots: Vec<RelPath>,
    ignored: Ignored,
}

impl Selection {
    /// All of a server's files but those.
    pub fn all_but(ignored: Ignored) -> Self {
        Self {
            base: RelPath::root(),
            roots: vec![RelPath::root()],
            ignored,
        }
    }

    /// Files and whole directories beneath `base`, from which their names are told. What lies
    /// outside is left out.
    pub fn of(base: RelPath, paths: impl IntoIterator<Item = RelPath>) -> Self {
        Self {
            roots: paths
                .into_iter()
                .filter(|path| path.starts_with(&base))
                .collect(),
            base,
            ignored: Ignored::default(),
        }
    }
}

/// Packs files into a `tar.gz` and returns the output, finished. Directories, files and links keep
/// their permissions and times; pipes, sockets and devices are left out, and so is what goes away
/// meanwhile. A file that changes while it is read is packed as long as it was at first.
pub fn pack_tar_gz<W: Write>(
    files: &ServerDir,
    selection: &Selection,
    output: W,
    progress: &Progress,
) -> Result<W> {
    let mut packer = Packer {
        selection,
        progress,
        tar: Builder::new(GzEncoder::new(output, LEVEL)),
    };
    for root in &selection.roots {
        files.visit(root, |found| packer.add(found))?;
    }
    let finish = || packer.tar.into_inner()?.finish();
    finish().map_err(unwritable)
}

struct Packer<'a, W: Write> {
    selection: &'a Selection,
    progress: &'a Progress,
    tar: Builder<GzEncoder<W>>,
}

impl<W: Write> Packer<'_, W> {
    fn add(&mut self, found: &Found<'_>) -> io::Result<Enter> {
        self.progress.advance(0)?;
        let ignored = &self.selection.ignored;
        if ignored.leaves_out(found.path.as_path(), found.kind == Kind::Directory) {
            return Ok(if ignored.is_final() {
                Enter::No
            } else {
                Enter::Yes
            });
        }
        let base = self.selection.base.as_bytes();
        let name = found.path.as_bytes();
        let name = name.strip_prefix(base).unwrap_or(name);
        let name = Path::new(OsStr::from_bytes(name.strip_prefix(b"/").unwrap_or(name)));
        let packed = match found.kind {
            Kind::Directory => match found.entry()? {
                Some(entry) => self.add_directory(name, &entry),
                None => Ok(()),
            },
            Kind::File => match found.open()? {
                Some((file, entry)) => self.add_file(name, &file, &entry),
                None => Ok(()),
            },
            Kind::Link => match (found.entry()?, found.link_target()?) {
                (Some(entry), Some(target)) => {
                    let target = Path::new(OsStr::from_bytes(target.to_bytes()));
                    let mut header = header(EntryType::Symlink, &entry);
                    self.tar.append_link(&mut header, name, target)
                }
                _ => Ok(()),
            },
            Kind::Pipe | Kind::Socket | Kind::BlockDevice | Kind::CharacterDevice => Ok(()),
        };
        packed.map_err(unwritable)?;
        Ok(Enter::Yes)
    }

    fn add_directory(&mut self, name: &Path, entry: &Entry) -> io::Result<()> {
        if name.as_os_str().is_empty() {
            return Ok(());
        }
        let mut header = header(EntryType::Directory, entry);
        // Some extractors know a directory by its slash alone.
        self.tar
            .append_data(&mut header, name.join(""), io::empty())
    }

    fn add_file(&mut self, name: &Path, file: &File, entry: &Entry) -> io::Result<()> {
        let mut header = header(EntryType::Regular, entry);
        header.set_size(entry.size);
        let content = Content {
            file,
            left: entry.size,
            progress: self.progress,
        };
        self.tar.append_data(&mut header, name, content)
    }
}

fn header(kind: EntryType, entry: &Entry) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(entry.permissions & 0o777);
    header.set_mtime(u64::try_from(entry.modified.seconds()).unwrap_or(0));
    // Whose they were on this machine means nothing on another.
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header
}

/// What cannot be written to the archive, with the words of the server's files where they are the
/// reason: an archive may be one of them.
fn unwritable(error: io::Error) -> ArchiveError {
    ArchiveError::carried(error, ArchiveError::Unwritable)
}

/// A file's content, exactly as long as the header says: cut where it grew, and filled with zeros
/// where it shrank, since an archive cannot take a length back.
struct Content<'a> {
    file: &'a File,
    left: u64,
    progress: &'a Progress,
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..room];
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = match self.file.read(buffer)? {
            0 => {
                buffer.fill(0);
                buffer.len()
            }
            count => count,
        };
        self.left -= count as u64;
        self.progress.advance(count as u64)?;
        Ok(count)
    }
}
