//! The front door: the only place where a path arrives as text.

use std::ffi::{CString, OsStr};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A path beneath a server's folder, parsed once: parts without `/`, `.`, `..` or NUL, joined by
/// `/`. The empty path is the folder itself. Bytes are kept as they are, since games write names
/// that are not UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(Vec<u8>);

/// The text cannot be a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It holds a NUL byte.
    #[error("a path cannot hold a NUL byte")]
    Nul,
    /// A part is longer than [`RelPath::MAX_NAME`], or the whole longer than [`RelPath::MAX`].
    #[error("file name too long")]
    TooLong,
}

impl RelPath {
    /// The longest part in bytes, as on every common file system.
    pub const MAX_NAME: usize = 255;
    /// The longest path in bytes that the kernel resolves in one step.
    pub const MAX: usize = 4095;

    /// The server's folder itself.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Reads a path. Leading, doubled and trailing slashes are harmless, and `..` takes back one
    /// part but never climbs above the root.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, PathError> {
        Self::root().join(text)
    }

    /// The path that `text` names when read from here. It cannot leave this folder: joining `..`
    /// goes no higher than the root of the server, as [`RelPath::parse`] does.
    pub fn join(&self, text: impl AsRef<[u8]>) -> Result<Self, PathError> {
        let mut path = self.clone();
        for part in text.as_ref().split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => path.pop(),
                part if part.contains(&0) => return Err(PathError::Nul),
                part if part.len() > Self::MAX_NAME => return Err(PathError::TooLong),
                part => path.push(part),
            }
        }
        if path.0.len() > Self::MAX {
            Err(PathError::TooLong)
        } else {
            Ok(path)
        }
    }

    /// Whether this is the server's folder itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last part; nothing for the root.
    pub fn name(&self) -> Option<&[u8]> {
        self.parts().last()
    }

    /// The folder that holds it; the root's is the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        let mut parent = self.clone();
        parent.pop();
        parent
    }

    /// The parts from the root down.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
    }

    /// Whether this is `folder` or lies beneath it.
    pub fn starts_with(&self, folder: &Self) -> bool {
        self.0
            .strip_prefix(folder.0.as_slice())
            .is_some_and(|rest| folder.is_root() || rest.is_empty() || rest.starts_with(b"/"))
    }

    /// The bytes, without a leading slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As a relative path, for those who match patterns against it.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// For the kernel: `.` for the root.
    pub(crate) fn to_c(&self) -> CString {
        c_string(if self.is_root() { b"." } else { &self.0 })
    }

    pub(crate) fn push(&mut self, part: &[u8]) {
        if !self.is_root() {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(part);
    }

    fn pop(&mut self) {
        let end = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        self.0.truncate(end);
    }
}

/// A name of a parsed path for the kernel. Such names hold no NUL, so the fallback is unreachable.
pub(crate) fn c_string(name: &[u8]) -> CString {
    CString::new(name).unwrap_or_default()
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelPath({:?})", String::from_utf8_lossy(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_cleaned_so_that_they_cannot_climb() {
        for (text, clean) in [
            ("", ""),
            ("/", ""),
            ("///a//b/", "a/b"),
            ("./a/./b", "a/b"),
            ("../../etc/passwd", "etc/passwd"),
            ("/a/../../b", "b"),
            ("a/b/..", "a"),
            ("a/../..", ""),
            ("..a/...", "..a/..."),
            (" a ", " a "),
            ("a\\..\\b", "a\\..\\b"),
        ] {
            assert_eq!(
                RelPath::parse(text).unwrap().as_bytes(),
                clean.as_bytes(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_the_kernel_cannot_take_is_refused() {
        assert_eq!(RelPath::parse("a\0b"), Err(PathError::Nul));
        assert_eq!(RelPath::parse("a".repeat(256)), Err(PathError::TooLong));
        assert!(RelPath::parse("é".repeat(127)).is_ok());
        assert_eq!(RelPath::parse("a/".repeat(2049)), Err(PathError::TooLong));
        assert!(RelPath::parse("a/".repeat(2048)).is_ok());
    }

    #[test]
    fn joining_and_taking_apart() {
        let path = RelPath::parse("/world/region").unwrap();
        assert_eq!(
            path.join("r.0.0.mca").unwrap().to_string(),
            "/world/region/r.0.0.mca"
        );
        assert_eq!(path.join("/../../../x").unwrap().to_string(), "/x");
        assert_eq!(path.name(), Some(&b"region"[..]));
        assert_eq!(path.parent().to_string(), "/world");
        assert!(path.parent().parent().is_root() && RelPath::root().parent().is_root());
        assert!(path.starts_with(&path.parent()) && path.starts_with(&RelPath::root()));
        assert!(
            !RelPath::parse("worldly")
                .unwrap()
                .starts_with(&path.parent())
        );
    }

    proptest! {
        #[test]
        fn a_parsed_path_has_only_plain_parts(text in proptest::collection::vec(
            prop_oneof![Just(b'/'), Just(b'.'), Just(b'a'), any::<u8>()], 0..64,
        )) {
            if let Ok(path) = RelPath::parse(&text) {
                for part in path.parts() {
                    prop_assert!(!part.is_empty() && part != b"." && part != b"..");
                    prop_assert!(!part.contains(&0) && !part.contains(&b'/'));
                }
                prop_assert!(!path.as_bytes().starts_with(b"/") && !path.as_bytes().ends_with(b"/"));
                prop_assert_eq!(RelPath::parse(path.as_bytes()).unwrap(), path.clone());
                prop_assert!(path.starts_with(&path.parent()));
                if let Some(name) = path.name() {
                    prop_assert_eq!(path.parent().join(name).unwrap(), path.clone());
                }
            } else {
                prop_assert!(text.contains(&0));
            }
        }
    }
}
