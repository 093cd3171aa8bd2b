//! What is known about one file.

use std::borrow::Cow;
use std::fmt::Write as _;

use hatchery_vocab::Timestamp;
use rustix::fs::{FileType, Stat};

/// One file, directory or anything else that has a name. All of it is about the thing itself: a
/// link shows its own size and times, not those of its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last part of its path; bytes that are not UTF-8 are shown as `U+FFFD`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes.
    pub size: u64,
    /// Permission bits with set-user-id, set-group-id and sticky, `0o7777` at most.
    pub permissions: u32,
    /// When its content last changed.
    pub modified: Timestamp,
    /// When anything about it last changed: what the protocol calls `created`
    /// (node-protocol.md §7.4).
    pub changed: Timestamp,
    /// Its media type, which may carry parameters.
    pub mime: Cow<'static, str>,
}

/// What something in a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharacterDevice,
}

impl Kind {
    pub(crate) fn of(stat: &Stat) -> Self {
        FileType::from_raw_mode(stat.st_mode).into()
    }
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Pipe,
            FileType::Socket => Self::Socket,
            FileType::BlockDevice => Self::BlockDevice,
            FileType::CharacterDevice => Self::CharacterDevice,
            FileType::RegularFile | FileType::Unknown => Self::File,
        }
    }
}

impl Entry {
    pub(crate) fn new(name: &[u8], stat: &Stat, mime: Cow<'static, str>) -> Self {
        Self {
            name: String::from_utf8_lossy(name).into_owned(),
            kind: Kind::of(stat),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            permissions: stat.st_mode & 0o7777,
            modified: Timestamp::from_seconds(stat.st_mtime),
            changed: Timestamp::from_seconds(stat.st_ctime),
            mime,
        }
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// The mode in letters as the protocol writes it, such as `-rw-r--r--`: the type, then
    /// `u`, `g` and `t` for the special bits, then nine letters.
    pub fn mode(&self) -> String {
        let mut mode = String::with_capacity(10);
        mode.push_str(match self.kind {
            Kind::File => "",
            Kind::Directory => "d",
            Kind::Link => "L",
            Kind::Pipe => "p",
            Kind::Socket => "S",
            Kind::BlockDevice | Kind::CharacterDevice => "D",
        });
        for (bit, letter) in [(0o4000, 'u'), (0o2000, 'g')] {
            if self.permissions & bit != 0 {
                mode.push(letter);
            }
        }
        if self.kind == Kind::CharacterDevice {
            mode.push('c');
        }
        if self.permissions & 0o1000 != 0 {
            mode.push('t');
        }
        if mode.is_empty() {
            mode.push('-');
        }
        for (index, letter) in "rwxrwxrwx".chars().enumerate() {
            mode.push(if self.permissions & (0o400 >> index) != 0 {
                letter
            } else {
                '-'
            });
        }
        mode
    }

    /// The permission bits in octal without leading zeros, such as `644`.
    pub fn mode_bits(&self) -> String {
        let mut bits = String::new();
        // Writing to a string cannot fail.
        let _ = write!(bits, "{:o}", self.permissions & 0o777);
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_written_as_the_protocol_does() {
        for (kind, permissions, mode, bits) in [
            (Kind::File, 0o644, "-rw-r--r--", "644"),
            (Kind::Directory, 0o755, "drwxr-xr-x", "755"),
            (Kind::Link, 0o777, "Lrwxrwxrwx", "777"),
            (Kind::Pipe, 0o600, "prw-------", "600"),
            (Kind::Socket, 0o700, "Srwx------", "700"),
            (Kind::CharacterDevice, 0o620, "Dcrw--w----", "620"),
            (Kind::BlockDevice, 0o660, "Drw-rw----", "660"),
            (Kind::File, 0o4755, "urwxr-xr-x", "755"),
            (Kind::Directory, 0o1777, "dtrwxrwxrwx", "777"),
            (Kind::File, 0, "----------", "0"),
        ] {
            let entry = Entry {
                name: String::new(),
                kind,
                size: 0,
                permissions,
                modified: Timestamp::from_seconds(0),
                changed: Timestamp::from_seconds(0),
                mime: Cow::Borrowed(""),
            };
            assert_eq!(
                (entry.mode().as_str(), entry.mode_bits().as_str()),
                (mode, bits)
            );
        }
    }
}
