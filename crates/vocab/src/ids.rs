//! Identifiers. Row ids and public UUIDs are different types for every noun, so that a server's id
//! cannot be passed where a node's is due.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! row_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Wraps a row's primary key.
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The primary key.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

row_ids! {
    /// Row id of an allocation.
    AllocationId
    /// Row id of an API key.
    ApiKeyId
    /// Row id of a backup.
    BackupId
    /// Row id of a server's database.
    DatabaseId
    /// Row id of a host on which databases are created.
    DatabaseHostId
    /// Row id of an egg.
    EggId
    /// Row id of an egg variable.
    EggVariableId
    /// Row id of a location.
    LocationId
    /// Row id of a mount.
    MountId
    /// Row id of a nest.
    NestId
    /// Row id of a node.
    NodeId
    /// Row id of a schedule.
    ScheduleId
    /// Row id of a server.
    ServerId
    /// Row id of a browser session.
    SessionId
    /// Row id of an SSH key.
    SshKeyId
    /// Row id of a subuser (the pair of a user and a server).
    SubuserId
    /// Row id of a schedule's task.
    TaskId
    /// Row id of a transfer.
    TransferId
    /// Row id of a user.
    UserId
}

/// The text is not a UUID in its hyphenated form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a UUID has the form f3f95466-7e8b-42a4-8504-6e7055874e39")]
pub struct ParseUuid;

macro_rules! uuids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn get(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseUuid;

            /// Accepts the hyphenated form only, in either case.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                const HYPHENATED: usize = 36;
                match Uuid::try_parse(text) {
                    Ok(uuid) if text.len() == HYPHENATED => Ok(Self(uuid)),
                    _ => Err(ParseUuid),
                }
            }
        }
    )*};
}

uuids! {
    /// Public id of a backup.
    BackupUuid
    /// Public id of an egg.
    EggUuid
    /// Public id of a node.
    NodeUuid
    /// Public id of a server; also the name of its folder and of its container.
    ServerUuid
    /// Public id of a user.
    UserUuid
}

impl ServerUuid {
    /// The first eight hexadecimal digits, which people see as the server's identifier.
    pub fn short(self) -> ShortId {
        let mut digits = [0; 36];
        self.0.as_hyphenated().encode_lower(&mut digits);
        let mut short = [0; ShortId::LEN];
        short.copy_from_slice(&digits[..ShortId::LEN]);
        ShortId(short)
    }
}

/// The public eight-character identifier of a server: lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortId([u8; Self::LEN]);

impl ShortId {
    /// How many characters a short id has.
    pub const LEN: usize = 8;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever stored, so the fallback is unreachable.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The text is not eight hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a server's short identifier has eight hexadecimal digits")]
pub struct ParseShortId;

impl FromStr for ShortId {
    type Err = ParseShortId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: [u8; Self::LEN] = text.as_bytes().try_into().map_err(|_| ParseShortId)?;
        if digits.iter().all(u8::is_ascii_hexdigit) {
            Ok(Self(digits.map(|digit| digit.to_ascii_lowercase())))
        } else {
            Err(ParseShortId)
        }
    }
}

impl fmt::Display for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_id_is_the_start_of_the_uuid() {
        let uuid: ServerUuid = "F3F95466-7e8b-42a4-8504-6e7055874e39".parse().unwrap();
        assert_eq!(uuid.short().as_str(), "f3f95466");
        assert_eq!("F3F95466".parse(), Ok(uuid.short()));
    }

    #[test]
    fn only_the_usual_forms_are_identifiers() {
        for text in ["", "f3f9546", "f3f95466a", "g3f95466", "f3f954é"] {
            assert_eq!(text.parse::<ShortId>(), Err(ParseShortId), "{text}");
        }
        for text in [
            "f3f954667e8b42a485046e7055874e39",
            "{f3f95466-7e8b-42a4-8504-6e7055874e39}",
            "x",
        ] {
            assert!(text.parse::<ServerUuid>().is_err(), "{text}");
        }
    }
}
