//! Copying a file beside itself.

use std::fs::File;
use std::io::{Read, Write};

use hatchery_vocab::Timestamp;
use rustix::fs::{Mode, copy_file_range, fchmod};
use rustix::io::Errno;

use crate::account::Reservation;
use crate::path::c_string;
use crate::scratch::Scratch;
use crate::{FsError, RelPath, Result, ServerDir};

/// How much is copied between two looks at the disk limit.
const CHUNK: usize = 8 * 1024 * 1024;

/// How many numbered names are tried before the time is used.
const NUMBERED: u32 = 50;

impl ServerDir {
    /// Copies a regular file to a new name in the same directory, which is returned. `now` is used
    /// in the name when all the usual names are taken. Where the file system can, both share their
    /// blocks.
    pub fn copy(&self, path: &RelPath, now: Timestamp) -> Result<RelPath> {
        let path = self.locate(path)?;
        let source = self.open_file(&path)?;
        let mut scratch = Scratch::new(self.open_dir(&path.parent())?)?;
        let mut reservation = Reservation::new(self);
        let size = copy_content(&source.file, &scratch, &mut reservation)?;
        self.owner()?.take(scratch.file())?;
        fchmod(
            scratch.file(),
            Mode::from_raw_mode(source.entry.permissions & 0o777),
        )?;
        for name in names(path.name().unwrap_or_default(), now) {
            let target = path.parent().join(&name)?;
            match scratch.place(&c_string(&name)) {
                Ok(()) => {
                    reservation.settle(size, 0);
                    return Ok(target);
                }
                Err(FsError::Exists) => {}
                Err(error) => return Err(error),
            }
        }
        Err(FsError::Exists)
    }
}

/// The names to try, in order (node-protocol.md §7.6): `a copy.txt`, `a copy 1.txt` … `a copy
/// 50.txt`, and at last one with the time in it.
fn names(name: &[u8], now: Timestamp) -> impl Iterator<Item = Vec<u8>> {
    let dot = name
        .iter()
        .rposition(|byte| *byte == b'.')
        .unwrap_or(name.len());
    // `.tar.gz` and its like are one extension.
    let dot = if dot < name.len() {
        name[..dot].strip_suffix(b".tar").map_or(dot, <[u8]>::len)
    } else {
        dot
    };
    let (base, extension) = name.split_at(dot);
    let numbered = (0..=NUMBERED).map(|number| match number {
        0 => " copy".to_owned(),
        number => format!(" copy {number}"),
    });
    let timed = std::iter::once_with(move || format!("copy.{}", now.iso_utc()));
    numbered
        .chain(timed)
        .map(move |suffix| [base, suffix.as_bytes(), extension].concat())
}

fn copy_content(
    mut source: &File,
    scratch: &Scratch,
    reservation: &mut Reservation,
) -> Result<u64> {
    let mut target = scratch.file();
    let mut copied = 0;
    loop {
        reservation.grow_to(copied + remaining(source, copied)?)?;
        match copy_file_range(source, None, target, None, CHUNK) {
            // This file system cannot, or there is nothing left; the loop below knows.
            Ok(0) | Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => break,
            Ok(count) => copied += count as u64,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            return Ok(copied);
        }
        reservation.grow_to(copied + count as u64)?;
        target.write_all(&buffer[..count])?;
        copied += count as u64;
    }
}

/// How much the next step can copy at most.
fn remaining(source: &File, copied: u64) -> Result<u64> {
    Ok(source
        .metadata()?
        .len()
        .saturating_sub(copied)
        .min(CHUNK as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_named_as_clients_predict() {
        let now = Timestamp::from_seconds(1_700_000_000);
        for (name, first) in [
            ("server.jar", "server copy.jar"),
            ("world.tar.gz", "world copy.tar.gz"),
            ("a.b.txt", "a.b copy.txt"),
            ("README", "README copy"),
            (".bashrc", " copy.bashrc"),
            ("tar", "tar copy"),
            ("x.tar", "x copy.tar"),
        ] {
            assert_eq!(
                names(name.as_bytes(), now).next(),
                Some(first.as_bytes().to_vec())
            );
        }
        let all: Vec<_> = names(b"a.txt", now).collect();
        assert_eq!(all.len(), 52);
        assert_eq!(all[1], b"a copy 1.txt");
        assert_eq!(all[50], b"a copy 50.txt");
        assert_eq!(all[51], b"acopy.2023-11-14T22:13:20+00:00.txt");
    }
}
