//! What a backup leaves out.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Patterns in the syntax of `.gitignore`, read as the reference's daemon reads them: the last line
/// that fits a file or a folder above it decides. Git itself never looks into an ignored folder, so
/// that `*` and `!world` together would leave everything out there; people rely on them to keep the
/// world.
#[derive(Clone, Debug, Default)]
pub struct Ignored {
    /// One matcher a line, the last line first.
    lines: Vec<Gitignore>,
    /// Whether a line takes something back.
    exceptions: bool,
}

/// How many lines of patterns are read: each is tried on each file.
const MAX_LINES: usize = 1000;

impl Ignored {
    /// Reads patterns, one a line. What is no pattern is passed over with a word in the log.
    pub fn parse(text: &str) -> Self {
        let mut ignored = Self::default();
        for line in text.lines().take(MAX_LINES) {
            let mut builder = GitignoreBuilder::new("");
            match builder
                .add_line(None, line)
                .and_then(|builder| builder.build())
            {
                Ok(pattern) if pattern.is_empty() => {}
                Ok(pattern) => {
                    ignored.exceptions |= pattern.num_whitelists() > 0;
                    ignored.lines.push(pattern);
                }
                Err(error) => tracing::warn!(line, %error, "this line is no pattern"),
            }
        }
        ignored.lines.reverse();
        ignored
    }

    /// Whether something is left out.
    pub fn leaves_out(&self, path: &Path, is_directory: bool) -> bool {
        self.lines
            .iter()
            .map(|line| line.matched_path_or_any_parents(path, is_directory))
            .find(|matched| !matched.is_none())
            .is_some_and(|matched| matched.is_ignore())
    }

    /// Whether everything beneath a folder that is left out is left out with it.
    pub(crate) fn is_final(&self) -> bool {
        !self.exceptions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_fits_decides() {
        for (text, path, is_directory, left_out) in [
            ("", "a", false, false),
            ("*.log", "logs/latest.log", false, true),
            ("*.log\n!latest.log", "logs/latest.log", false, false),
            ("logs/", "logs", true, true),
            ("logs/", "logs", false, false),
            ("logs/", "logs/old/1.gz", false, true),
            ("/logs", "world/logs", false, false),
            ("*\n!world", "world", true, false),
            ("*\n!world", "world/region/r.0.0.mca", false, false),
            ("*\n!world", "server.jar", false, true),
            ("!world\n*", "world/level.dat", false, true),
            ("# a comment\n\n[z-\nplugins/**", "plugins/a/b", false, true),
        ] {
            let ignored = Ignored::parse(text);
            assert_eq!(
                ignored.leaves_out(Path::new(path), is_directory),
                left_out,
                "{path} by {text:?}"
            );
        }
    }
}
