//! Opening a file to read it.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

use rustix::fs::{OFlags, fstat};

use crate::{Entry, FsError, Kind, RelPath, Result, ServerDir, mime};

/// A regular file, open for reading, and what was known about it at that moment.
#[derive(Debug)]
pub struct OpenFile {
    /// The file, positioned at its start.
    pub file: File,
    /// Its name, size, times and media type.
    pub entry: Entry,
}

impl ServerDir {
    /// Opens a regular file to read it. Never waits: a pipe is refused even when nobody writes to
    /// it.
    pub fn open_file(&self, path: &RelPath) -> Result<OpenFile> {
        let path = self.locate(path)?;
        let name = path.name().ok_or(FsError::IsDirectory)?;
        let file =
            File::from(self.open_at(&path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?);
        let stat = fstat(&file)?;
        match Kind::of(&stat) {
            Kind::File => {
                let mime = sniff(&String::from_utf8_lossy(name), &file);
                Ok(OpenFile {
                    entry: Entry::new(name, &stat, mime),
                    file,
                })
            }
            Kind::Directory => Err(FsError::IsDirectory),
            _ => Err(FsError::NotRegular),
        }
    }

    /// Reads a whole file of at most `limit` bytes.
    pub fn read(&self, path: &RelPath, limit: u64) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        // One byte more than allowed tells a file that fits from one that does not, even when it
        // grows meanwhile.
        self.open_file(path)?
            .file
            .take(limit.saturating_add(1))
            .read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            Err(FsError::TooLarge { limit })
        } else {
            Ok(content)
        }
    }
}

/// The media type of an open regular file. Its position stays where it is.
pub(crate) fn sniff(name: &str, file: &File) -> Cow<'static, str> {
    let mut head = [0; mime::SNIFF];
    match file.read_at(&mut head, 0) {
        Ok(length) => mime::of(name, &head[..length]),
        Err(_) => Cow::Borrowed(mime::OCTET_STREAM),
    }
}
