//! Pages of `docs` that promise tests name tests that there are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::project;

/// A test, or a module of tests, as the page names it.
#[derive(Debug, PartialEq, Eq)]
struct Named<'a> {
    /// The package without its prefix, or `e2e`.
    package: &'a str,
    /// Modules, and a function or a module at the end.
    path: &'a str,
}

/// The pages that promise tests.
const PAGES: [&str; 2] = ["docs/client-quirks.md", "docs/security.md"];

/// How many items of docs/client-quirks.md there are.
const QUIRKS: usize = 23;

/// Every test that a page promises exists in the crate that it names.
pub(crate) fn exist() -> Result<Vec<String>> {
    let files = project::files()?;
    let mut complaints = Vec::new();
    for name in PAGES {
        let page = fs::read_to_string(project::root().join(name))?;
        for named in named(&page) {
            if !exists(&files, &named)? {
                let Named { package, path } = named;
                complaints.push(format!("{name}: `{package}: {path}` is no test"));
            }
        }
    }
    Ok(complaints)
}

/// Each item of docs/client-quirks.md has a row with a test.
pub(crate) fn every_quirk() -> Result<Vec<String>> {
    let page = fs::read_to_string(project::root().join("docs/client-quirks.md"))?;
    Ok(without_test(&page))
}

fn without_test(page: &str) -> Vec<String> {
    (1..=QUIRKS)
        .filter(|number| {
            let start = format!("| {number} | ");
            let mut rows = page.lines().filter(|line| line.starts_with(&start));
            !rows.any(|row| named(row).next().is_some())
        })
        .map(|number| format!("docs/client-quirks.md: item {number} has no test"))
        .collect()
}

/// The names in the tables' last column, such as `` `api: auth::a_name` ``.
fn named(page: &str) -> impl Iterator<Item = Named<'_>> {
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.trim_end_matches(['|', ' ']).rsplit_once('|'));
    cells
        .flat_map(|(_, cell)| cell.split('`').skip(1).step_by(2))
        .filter_map(|name| {
            let (package, path) = name.split_once(": ")?;
            Some(Named { package, path })
        })
}

fn exists(files: &[PathBuf], named: &Named<'_>) -> Result<bool> {
    let folder = match named.package {
        "e2e" => PathBuf::from("e2e"),
        package => Path::new("crates").join(package),
    };
    let name = named.path.rsplit("::").next().unwrap_or_default();
    let function = format!("fn {name}(");
    for path in files.iter().filter(|path| path.starts_with(&folder)) {
        let is_module = path.file_stem().is_some_and(|stem| stem == name)
            || path.components().any(|part| part.as_os_str() == name);
        if is_module {
            return Ok(true);
        }
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if is_rust && fs::read_to_string(project::root().join(path))?.contains(&function) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_a_test_is_told() {
        let row = |number: usize| match number {
            7 => "| 7 | x | *later* |\n".to_owned(),
            9 => String::new(),
            _ => format!("| {number} | x | `api: a::test` |\n"),
        };
        let page: String = (1..=QUIRKS).map(row).collect();
        let missing = without_test(&page);
        assert_eq!(missing.len(), 2, "{missing:?}");
        assert!(missing[0].contains("item 7") && missing[1].contains("item 9"));
    }

    #[test]
    fn names_are_read_from_the_last_column() {
        let page = "`no: row`\n| `no: test` | x | `api: auth::one`, `e2e: two` and *later* |\n";
        let names: Vec<_> = named(page).collect();
        assert_eq!(
            names,
            [
                Named {
                    package: "api",
                    path: "auth::one"
                },
                Named {
                    package: "e2e",
                    path: "two"
                }
            ]
        );
    }
}
