//! Reading what `tar` packed.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use hatchery_vocab::Timestamp;
use tar::{Archive, Entry, EntryType};

use crate::reader::Rationed;
use crate::unpack::{Attributes, CHUNK, Target, unreadable};
use crate::{ArchiveError, Progress, Result};

/// What may stand between the contents of two files: headers with long names. They are read into
/// memory, whatever length they declare.
const MAX_HEADERS: u64 = 1024 * 1024;

/// No limit: what is read goes through a buffer of fixed size.
const CONTENT: u64 = u64::MAX;

/// Unpacks a tar archive that is not, or no longer, compressed.
pub(crate) fn unpack(input: impl Read, target: &mut Target<'_>) -> Result<()> {
    let (input, allowance) = Rationed::new(input, MAX_HEADERS);
    let mut archive = Archive::new(input);
    let mut entries = archive.entries().map_err(unreadable)?;
    loop {
        allowance.set(MAX_HEADERS);
        let Some(entry) = entries.next() else {
            break;
        };
        let mut entry = entry.map_err(unreadable)?;
        allowance.set(CONTENT);
        unpack_entry(&mut entry, target)?;
        // The rest of what was passed over, so that only headers follow.
        io::copy(&mut entry, &mut io::sink()).map_err(unreadable)?;
    }
    // The checksum of a compressed stream stands behind the last entry.
    allowance.set(CONTENT);
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(unreadable)?;
    Ok(())
}

/// Reads a `tar.gz` to its end without writing anything, and fails where it is cut off or damaged.
/// Returns the sum of the sizes of its files in bytes.
pub fn verify_tar_gz(input: impl Read, progress: &Progress) -> Result<u64> {
    let (input, allowance) = Rationed::new(MultiGzDecoder::new(input), MAX_HEADERS);
    let mut archive = Archive::new(input);
    let mut size = 0;
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        allowance.set(CONTENT);
        let mut buffer = vec![0; CHUNK];
        loop {
            match entry.read(&mut buffer).map_err(unreadable)? {
                0 => break,
                count => {
                    progress.advance(count as u64)?;
                    size += count as u64;
                }
            }
        }
        allowance.set(MAX_HEADERS);
    }
    // The checksum of the stream stands behind the last entry.
    allowance.set(CONTENT);
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(unreadable)?;
    Ok(size)
}

fn unpack_entry(entry: &mut Entry<'_, impl Read>, target: &mut Target<'_>) -> Result<()> {
    let name = entry.path_bytes().into_owned();
    match entry.header().entry_type() {
        EntryType::Directory => target.directory(&name),
        // Archives of old mark a directory by its slash alone.
        EntryType::Regular if name.ends_with(b"/") => target.directory(&name),
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            let header = entry.header();
            let modified = header
                .mtime()
                .ok()
                .and_then(|time| i64::try_from(time).ok());
            let attributes = Attributes {
                permissions: header.mode().ok(),
                modified: modified.map(Timestamp::from_seconds),
            };
            target.file(&name, attributes, entry)
        }
        kind @ (EntryType::Link | EntryType::Symlink) => {
            let Some(to) = entry.link_name_bytes() else {
                let error = io::Error::new(io::ErrorKind::InvalidData, "a link without a target");
                return Err(ArchiveError::Unreadable(error));
            };
            if kind == EntryType::Link {
                target.hard_link(&name, &to)
            } else {
                target.link(&name, &to)
            }
        }
        // Pipes and devices are nothing that an archive may make.
        _ => Ok(()),
    }
}
