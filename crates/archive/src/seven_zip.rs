//! Unpacking 7z files.

use std::fs::File;
use std::io::{self, BufReader, Read};

use hatchery_vocab::Timestamp;
use sevenz_rust2::{ArchiveEntry, ArchiveReader, Error, Password};

use crate::extract::DECODER_MEMORY;
use crate::unpack::{Attributes, Target, unreadable};
use crate::{ArchiveError, Result};

/// Says that the upper half of an entry's attributes is a mode of Unix.
const HAS_UNIX_MODE: u32 = 0x8000;

/// The kind of a symbolic link within a mode of Unix.
const LINK: u32 = 0o120_000;

/// The longest target of a link.
const MAX_LINK: u64 = 4096;

/// Seconds from the start of 1601, where its times begin, to that of 1970.
const EPOCH: i64 = 11_644_473_600;

pub(crate) fn unpack(file: File, target: &mut Target<'_>) -> Result<()> {
    let memory = usize::try_from(DECODER_MEMORY / 1024).unwrap_or(usize::MAX);
    let reader = BufReader::new(file);
    let mut archive = ArchiveReader::new_with_memory_limit(reader, Password::empty(), memory)
        .map_err(|error| broken(&error))?;
    // One archive does not deserve every core.
    archive.set_thread_count(1);
    // The library's error cannot carry ours.
    let mut failure = None;
    let outcome = archive.for_each_entries(|entry, content| {
        unpack_entry(entry, content, target).map_err(|error| {
            failure = Some(error);
            Error::from(io::Error::other("stopped"))
        })?;
        Ok(true)
    });
    match (failure, outcome) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(broken(&error)),
        (None, Ok(())) => Ok(()),
    }
}

fn unpack_entry(
    entry: &ArchiveEntry,
    content: &mut dyn Read,
    target: &mut Target<'_>,
) -> Result<()> {
    let name = entry.name.as_bytes();
    if entry.is_anti_item {
        // It says that a file is to be deleted.
        return Ok(());
    }
    if entry.is_directory {
        return target.directory(name);
    }
    let attributes = entry.windows_attributes;
    let mode = (entry.has_windows_attributes && attributes & HAS_UNIX_MODE != 0)
        .then_some(attributes >> 16);
    if mode.is_some_and(|mode| mode & 0o170_000 == LINK) {
        let mut link = Vec::new();
        content
            .take(MAX_LINK)
            .read_to_end(&mut link)
            .map_err(unreadable)?;
        return target.link(name, &link);
    }
    let ticks = u64::from(entry.last_modified_date);
    let seconds = i64::try_from(ticks / 10_000_000).unwrap_or(i64::MAX) - EPOCH;
    let attributes = Attributes {
        permissions: mode,
        modified: entry
            .has_last_modified_date
            .then_some(Timestamp::from_seconds(seconds)),
    };
    target.file(name, attributes, content)
}

fn broken(error: &Error) -> ArchiveError {
    ArchiveError::Unreadable(io::Error::other(error.to_string()))
}
