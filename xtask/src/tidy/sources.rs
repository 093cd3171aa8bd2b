//! What the text of the sources must and must not contain.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::project;

/// Starts of SQL statements, as they are written in this project: in capitals.
const STATEMENTS: [&str; 7] = [
    "\"SELECT ",
    "\"INSERT INTO ",
    "\"UPDATE ",
    "\"DELETE FROM ",
    "\"CREATE TABLE ",
    "\"WITH RECURSIVE ",
    "\"ALTER TABLE ",
];

/// Folders whose concern is SQL.
const SQL_FOLDERS: [&str; 4] = [
    "crates/db/",
    "crates/dbhost/",
    "crates/import/",
    "crates/store/",
];

/// Folders of one developer's machine, and hosts that only a package manager names. Each is split
/// so that this file does not break its own rule.
const WORKPLACE: [&str; 9] = [
    concat!("/wo", "rk/"),
    concat!("/ho", "me/runner"),
    concat!("/ro", "ot/."),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("registry.", "npmjs.org"),
    concat!("pypi", ".org"),
    concat!("files.", "pythonhosted.org"),
    concat!("deb.", "debian.org"),
];

/// Files that are not text, or that a tool writes with addresses of its own.
const UNREAD: [&str; 8] = ["png", "jpg", "ico", "gz", "zip", "wasm", "woff2", "lock"];

/// Every module starts with `//!`, after attributes at most.
pub(crate) fn module_docs() -> Result<Vec<String>> {
    let undocumented = |path: &Path, text: &str| {
        (!starts_with_docs(text)).then(|| format!("{}: no `//!` at the start", path.display()))
    };
    check(rust_files()?, undocumented)
}

/// `#[ignore]` hides a broken test; assert what it does today instead.
pub(crate) fn no_ignored_tests() -> Result<Vec<String>> {
    let mark = concat!("#[", "ignore");
    check(rust_files()?, |path, text| {
        let line = text
            .lines()
            .position(|line| line.trim_start().starts_with(mark))?;
        Some(format!("{}:{}: an ignored test", path.display(), line + 1))
    })
}

/// Examples in documentation are not run (each would be a program of its own to link), so none may
/// look as if it were: its fence names something else than Rust.
pub(crate) fn no_untested_examples() -> Result<Vec<String>> {
    check(rust_files()?, |path, text| {
        let line = first_rust_example(text)?;
        Some(format!(
            "{}:{line}: an example in Rust: mark it `text`",
            path.display()
        ))
    })
}

/// SQL stands in `store` and `db` alone. Tests may look into a database.
pub(crate) fn sql_in_its_place() -> Result<Vec<String>> {
    let files = rust_files()?.into_iter().filter(|path| {
        let name = path.to_string_lossy();
        name.starts_with("crates/")
            && !name.contains("/tests/")
            && !SQL_FOLDERS.iter().any(|folder| name.starts_with(folder))
    });
    check(files.collect(), |path, text| {
        let (number, _) = text.lines().enumerate().find(|(_, line)| {
            let code = line.trim_start();
            !code.starts_with("//") && STATEMENTS.iter().any(|start| code.contains(start))
        })?;
        Some(format!("{}:{}: SQL", path.display(), number + 1))
    })
}

/// Nothing that is true on one machine only.
pub(crate) fn no_workplace() -> Result<Vec<String>> {
    let files = project::files()?.into_iter().filter(|path| {
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy());
        !extension.is_some_and(|extension| UNREAD.contains(&extension.as_ref()))
    });
    check(files.collect(), |path, text| {
        let found = text.lines().enumerate().find_map(|(number, line)| {
            let word = WORKPLACE.iter().find(|word| line.contains(**word))?;
            Some((number + 1, word))
        });
        found.map(|(number, word)| format!("{}:{number}: names {word}", path.display()))
    })
}

fn rust_files() -> Result<Vec<PathBuf>> {
    let mut files = project::files()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    Ok(files)
}

fn check(
    files: Vec<PathBuf>,
    complaint: impl Fn(&Path, &str) -> Option<String>,
) -> Result<Vec<String>> {
    let root = project::root();
    let mut complaints = Vec::new();
    for path in files {
        let bytes = fs::read(root.join(&path))?;
        let text = String::from_utf8_lossy(&bytes);
        complaints.extend(complaint(&path, &text));
    }
    Ok(complaints)
}

/// The line of the first fence in documentation that rustdoc would take for Rust.
fn first_rust_example(text: &str) -> Option<usize> {
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let docs = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"));
        let Some(language) = docs.and_then(|docs| docs.trim().strip_prefix("```")) else {
            continue;
        };
        inside = !inside;
        if inside && (language.is_empty() || language.starts_with("rust")) {
            return Some(number + 1);
        }
    }
    None
}

fn starts_with_docs(text: &str) -> bool {
    let mut in_attribute = false;
    for line in text.lines() {
        let line = line.trim();
        if in_attribute || line.starts_with("#![") {
            in_attribute = !line.ends_with(']');
        } else if !line.is_empty() {
            return line.starts_with("//!");
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{first_rust_example, starts_with_docs};

    #[test]
    fn only_rust_examples_are_found() {
        for (text, expected) in [
            ("/// ```text\n/// a\n/// ```\n", None),
            ("//! A\n//! ```\n//! a();\n//! ```\n", Some(2)),
            (
                "    /// ```json\n    /// ```\n    /// ```rust\n    /// ```\n",
                Some(3),
            ),
            ("let a = \"```\";", None),
        ] {
            assert_eq!(first_rust_example(text), expected, "{text:?}");
        }
    }

    #[test]
    fn docs_may_follow_attributes_only() {
        for (text, expected) in [
            ("//! What.\nfn a() {}", true),
            ("#![expect(\n    clippy::panic,\n)]\n\n//! What.\n", true),
            ("#![no_std]\nfn a() {}", false),
            ("// What.\n//! Late.", false),
            ("", false),
        ] {
            assert_eq!(starts_with_docs(text), expected, "{text:?}");
        }
    }
}
