//! Unpacking zip files, those beyond 4 GiB too.

use std::fs::File;
use std::io::{self, BufReader, Read as _};

use hatchery_vocab::Timestamp;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::reader::Rationed;
use crate::unpack::{Attributes, Target, unreadable};
use crate::{ArchiveError, Result};

/// How much of a zip file is read to learn what is in it. All of it is kept in memory, so this is
/// what bounds that; it holds more than 300,000 entries.
const MAX_DIRECTORY: u64 = 32 * 1024 * 1024;

/// The longest target of a link.
const MAX_LINK: u64 = 4096;

pub(crate) fn unpack(file: File, target: &mut Target<'_>) -> Result<()> {
    let (reader, allowance) = Rationed::new(BufReader::new(file), MAX_DIRECTORY);
    let mut archive = ZipArchive::new(reader).map_err(broken)?;
    // From here on what is read goes through buffers of fixed size.
    allowance.set(u64::MAX);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let name = entry.name_raw().to_vec();
        if entry.is_dir() {
            target.directory(&name)?;
        } else if entry.is_symlink() {
            let mut link = Vec::new();
            (&mut entry)
                .take(MAX_LINK)
                .read_to_end(&mut link)
                .map_err(unreadable)?;
            target.link(&name, &link)?;
        } else {
            let attributes = Attributes {
                permissions: entry.unix_mode().map(|mode| mode & 0o777),
                modified: entry.last_modified().and_then(time),
            };
            target.file(&name, attributes, entry)?;
        }
    }
    Ok(())
}

/// A time of a zip file, which knows no zone.
fn time(time: zip::DateTime) -> Option<Timestamp> {
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        .parse()
        .ok()
}

fn broken(error: ZipError) -> ArchiveError {
    match error {
        ZipError::Io(error) => unreadable(error),
        other => ArchiveError::Unreadable(io::Error::other(other.to_string())),
    }
}
