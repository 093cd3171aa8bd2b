//! `docs/security.md` names tests that there are.

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

/// Every test that the page promises exists in the crate that it names.
pub(crate) fn named_tests() -> Result<Vec<String>> {
    let page = fs::read_to_string(project::root().join("docs/security.md"))?;
    let files = project::files()?;
    let mut complaints = Vec::new();
    for named in named(&page) {
        if !exists(&files, &named)? {
            let Named { package, path } = named;
            complaints.push(format!("docs/security.md: `{package}: {path}` is no test"));
        }
    }
    Ok(complaints)
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
