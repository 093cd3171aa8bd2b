//! Files that an egg's author keeps from being changed.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::RelPath;

/// Patterns in the syntax of `.gitignore` (node-protocol.md §7.3).
#[derive(Clone, Debug)]
pub struct Denylist(Gitignore);

impl Denylist {
    /// Reads patterns, one a line. A line that is no pattern is left out with a word in the log.
    pub fn new<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut builder = GitignoreBuilder::new("");
        for line in lines {
            if let Err(error) = builder.add_line(None, line) {
                tracing::warn!(line, %error, "this line of the file denylist is no pattern");
            }
        }
        Self(builder.build().unwrap_or_else(|error| {
            tracing::warn!(%error, "the file denylist is ignored");
            Gitignore::empty()
        }))
    }

    /// A list that denies nothing.
    pub fn empty() -> Self {
        Self(Gitignore::empty())
    }

    /// Whether the path, or a directory above it, is on the list.
    pub fn denies(&self, path: &RelPath) -> bool {
        !path.is_root()
            && self
                .0
                .matched_path_or_any_parents(path.as_path(), false)
                .is_ignore()
    }
}

impl Default for Denylist {
    fn default() -> Self {
        Self::empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_work_as_in_a_gitignore() {
        let list = Denylist::new([
            "*.jar",
            "/secret",
            "config/**",
            "!mods/ok.jar",
            "# a comment",
            "",
            "[z-",
        ]);
        for (path, denied) in [
            ("server.jar", true),
            ("/deep/down/x.jar", true),
            ("mods/ok.jar", false),
            ("secret", true),
            ("/secret/inside", true),
            ("other/secret", false),
            ("config/a/b", true),
            ("readme.txt", false),
            ("/", false),
        ] {
            assert_eq!(
                list.denies(&RelPath::parse(path).unwrap()),
                denied,
                "{path}"
            );
        }
        assert!(!Denylist::empty().denies(&RelPath::parse("server.jar").unwrap()));
    }
}
