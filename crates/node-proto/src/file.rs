//! Bodies of the routes about files (node-protocol.md §3.6 and §7.4).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An entry of a folder. All values are those of a link itself, never of its target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name without a path.
    pub name: String,
    /// When its inode changed last: RFC 3339 with seconds and an offset.
    pub created: String,
    /// When its contents changed last, in the same form.
    pub modified: String,
    /// Type letter and nine letters of permission, such as `-rw-r--r--`.
    pub mode: String,
    /// The permissions in octal without a leading zero, such as `644`.
    pub mode_bits: String,
    /// Bytes.
    pub size: i64,
    /// Whether it is a folder.
    pub directory: bool,
    /// Whether it is anything else.
    pub file: bool,
    /// Whether it is a symbolic link. Other daemons leave it out.
    #[serde(default)]
    pub symlink: bool,
    /// The type of its contents; `inode/directory` for a folder.
    pub mime: String,
}

/// Body of `PUT …/files/rename`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// The folder to which the names belong.
    pub root: String,
    /// What to rename.
    pub files: Vec<RenameFile>,
}

/// One file to rename.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameFile {
    /// Its present name.
    pub from: String,
    /// Its new name.
    pub to: String,
}

/// Body of `POST …/files/copy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The file to copy.
    pub location: String,
}

/// Body of `POST …/files/create-directory`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateDirectory {
    /// The folder's name.
    pub name: String,
    /// Where.
    pub path: String,
}

/// Body of `POST …/files/delete`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// The folder to which the names belong.
    pub root: String,
    /// What to delete.
    pub files: Vec<String>,
}

/// Body of `POST …/files/compress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compress {
    /// The folder to which the names belong and into which the archive goes.
    pub root: String,
    /// What to put into the archive.
    pub files: Vec<String>,
}

/// Body of `POST …/files/decompress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decompress {
    /// Where the archive is and its contents go.
    pub root: String,
    /// The archive's name.
    pub file: String,
}

/// Body of `POST …/files/chmod`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chmod {
    /// The folder to which the names belong.
    pub root: String,
    /// What to change.
    pub files: Vec<ChmodFile>,
}

/// One file and its new permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChmodFile {
    /// Its name.
    pub file: String,
    /// The permissions.
    pub mode: Mode,
}

/// Permissions in octal as their sender wrote them, `"755"` or `755` (client-api.md §3.6.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mode(pub Value);

impl Mode {
    /// The permission bits; nothing when the digits are not octal.
    pub fn bits(&self) -> Option<u32> {
        match &self.0 {
            Value::String(digits) => u32::from_str_radix(digits, 8).ok(),
            Value::Number(digits) => u32::from_str_radix(&digits.to_string(), 8).ok(),
            _ => None,
        }
    }
}

/// Body of `POST …/files/pull`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// What to fetch.
    pub url: String,
    /// Where the file goes.
    #[serde(alias = "directory")]
    pub root: String,
    /// The name to give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Whether the answer's header may name the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_header: Option<Flag>,
    /// Whether to answer only when the file is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreground: Option<Flag>,
}

/// Yes or no as its sender wrote it: `true`, `1` and `"1"` are one (client-api.md §3.6.12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flag(pub Value);

impl Flag {
    /// Whether it says yes.
    pub fn is_set(&self) -> bool {
        match &self.0 {
            Value::Bool(set) => *set,
            Value::Number(number) => number.as_f64() == Some(1.0),
            Value::String(text) => text == "1",
            _ => false,
        }
    }
}

/// What a pull in the background answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullStarted {
    /// By which it can be cancelled.
    pub identifier: String,
}

/// What `GET …/files/pull` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pulls {
    /// The running pulls; other daemons answer null for none.
    pub downloads: Option<Vec<PullProgress>>,
}

/// How far a pull has come. The capitals are the protocol's (node-protocol.md §3.6).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PullProgress {
    /// By which it can be cancelled.
    pub identifier: String,
    /// From 0 to 1.
    pub progress: f64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn modes_and_flags_are_read_however_they_are_written() {
        for (mode, bits) in [
            (json!("644"), Some(0o644)),
            (json!("0755"), Some(0o755)),
            (json!(755), Some(0o755)),
            (json!(999), None),
            (json!("rwx"), None),
            (json!(7.5), None),
            (json!(-1), None),
            (json!(null), None),
        ] {
            assert_eq!(Mode(mode.clone()).bits(), bits, "{mode}");
        }
        for (flag, set) in [
            (json!(true), true),
            (json!(1), true),
            (json!("1"), true),
            (json!(false), false),
            (json!(0), false),
            (json!("0"), false),
            (json!("true"), false),
        ] {
            assert_eq!(Flag(flag.clone()).is_set(), set, "{flag}");
        }
    }
}
