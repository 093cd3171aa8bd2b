//! Licences, duplicate versions, bans and sources of the dependencies, by the rules of `deny.toml`.
//!
//! Reads the part of cargo-deny's format that the file uses, so that the check takes a second and
//! needs nothing installed. Where cargo-deny is on the machine, it judges too.

mod licence;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{program, project};

/// `cargo xtask deny`
pub(crate) fn chore() -> Result<()> {
    let text = fs::read_to_string(project::root().join("deny.toml"))?;
    let rules = Rules::read(&text).context("deny.toml")?;
    let packages = packages(&rules.targets)?;
    let complaints = rules.judge(&packages);
    for complaint in &complaints {
        eprintln!("deny: {complaint}");
    }
    if !complaints.is_empty() {
        bail!(
            "{} complaints about {} packages",
            complaints.len(),
            packages.len()
        );
    }
    eprintln!("deny: {} packages are fine", packages.len());
    if program::find("cargo-deny").is_some() {
        program::run(project::cargo().args(["deny", "check", "licenses", "bans", "sources"]))?;
    }
    Ok(())
}

/// What `deny.toml` says.
#[derive(Debug)]
struct Rules {
    targets: Vec<String>,
    licences: BTreeSet<String>,
    banned: BTreeMap<String, String>,
    /// Names with the start of a version that may stand beside another version.
    duplicates: Vec<(String, String)>,
    registries: Vec<String>,
}

/// A package in the tree of dependencies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    /// Empty for a member of the workspace.
    source: Option<String>,
}

impl Rules {
    fn read(text: &str) -> Result<Rules> {
        let file: toml::Table = text.parse()?;
        let list = |table: &str, key: &str| -> Vec<toml::Value> {
            let found = file.get(table).and_then(|table| table.get(key)?.as_array());
            found.cloned().unwrap_or_default()
        };
        let texts = |table: &str, key: &str| -> Vec<String> {
            list(table, key)
                .iter()
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect()
        };
        let crates = |key: &str| -> Result<Vec<(String, String)>> {
            list("bans", key)
                .iter()
                .map(|entry| {
                    let field = |name: &str| entry.get(name).and_then(toml::Value::as_str);
                    let name = field("crate").context("an entry without `crate`")?;
                    let reason = field("reason").with_context(|| format!("{name}: no reason"))?;
                    Ok((name.to_owned(), reason.to_owned()))
                })
                .collect()
        };
        let duplicates = crates("skip")?
            .into_iter()
            .map(|(name, _)| match name.split_once('@') {
                Some((name, version)) => Ok((name.to_owned(), version.to_owned())),
                None => bail!("skip: {name}: no version"),
            })
            .collect::<Result<_>>()?;
        Ok(Rules {
            targets: texts("graph", "targets"),
            licences: texts("licenses", "allow").into_iter().collect(),
            banned: crates("deny")?.into_iter().collect(),
            duplicates,
            registries: texts("sources", "allow-registry"),
        })
    }

    fn judge(&self, packages: &BTreeSet<Package>) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Package {
            name,
            version,
            licence,
            source,
        } in packages
        {
            versions.entry(name).or_default().push(version);
            let terms = licence.as_deref().unwrap_or("none");
            match licence::permitted(terms, &self.licences) {
                Ok(true) => {}
                Ok(false) => complaints.push(format!("{name} {version}: licence {terms}")),
                Err(error) => complaints.push(format!("{name} {version}: {terms}: {error}")),
            }
            if let Some(reason) = self.banned.get(name) {
                complaints.push(format!("{name} {version} is banned: {reason}"));
            }
            if let Some(source) = source
                && !self
                    .registries
                    .iter()
                    .any(|known| source.ends_with(known.as_str()))
            {
                complaints.push(format!("{name} {version} comes from {source}"));
            }
        }
        for (name, versions) in &versions {
            let unskipped = versions
                .iter()
                .filter(|version| !self.is_skipped(name, version));
            if versions.len() > 1 && unskipped.count() > 1 {
                complaints.push(format!(
                    "{name} is there {} times: {}",
                    versions.len(),
                    versions.join(", ")
                ));
            }
        }
        for (name, version) in &self.duplicates {
            let found = versions.get(name.as_str());
            if !found
                .is_some_and(|found| found.len() > 1 && found.iter().any(|v| starts(v, version)))
            {
                complaints.push(format!("skip of {name}@{version} is not needed any more"));
            }
        }
        complaints
    }

    fn is_skipped(&self, name: &str, version: &str) -> bool {
        self.duplicates
            .iter()
            .any(|(skipped, start)| skipped == name && starts(version, start))
    }
}

/// Whether a version is `start` or begins with its numbers.
fn starts(version: &str, start: &str) -> bool {
    version
        .strip_prefix(start)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Every package that is built for one of the targets, tests included.
fn packages(targets: &[String]) -> Result<BTreeSet<Package>> {
    let mut found = BTreeSet::new();
    for target in targets {
        let metadata = project::metadata(&["--locked", "--filter-platform", target])?;
        let nodes = metadata["resolve"]["nodes"]
            .as_array()
            .context("no nodes in metadata")?;
        let used: BTreeSet<&str> = nodes
            .iter()
            .filter_map(|node| node["id"].as_str())
            .collect();
        let packages = metadata["packages"]
            .as_array()
            .context("no packages in metadata")?;
        found.extend(
            packages
                .iter()
                .filter(|package| package["id"].as_str().is_some_and(|id| used.contains(id)))
                .map(read_package),
        );
    }
    Ok(found)
}

fn read_package(package: &Value) -> Package {
    let text = |key: &str| package[key].as_str().map(str::to_owned);
    Package {
        name: text("name").unwrap_or_default(),
        version: text("version").unwrap_or_default(),
        licence: text("license"),
        source: text("source"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [{ crate = "openssl-sys", reason = "ring" }]
        skip = [{ crate = "base64@0.22", reason = "another crate is behind" }]
        [sources]
        allow-registry = ["https://index.example"]
    "#;

    fn package(name: &str, version: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: Some("MIT".to_owned()),
            source: Some("registry+https://index.example".to_owned()),
        }
    }

    fn judged(packages: impl IntoIterator<Item = Package>) -> Vec<String> {
        let needed = [package("base64", "0.22.1"), package("base64", "0.23.0")];
        let packages = packages.into_iter().chain(needed).collect();
        Rules::read(RULES).unwrap().judge(&packages)
    }

    #[test]
    fn a_clean_tree_with_a_skipped_duplicate_is_fine() {
        assert_eq!(judged([package("serde", "1.0.0")]), Vec::<String>::new());
    }

    #[test]
    fn each_rule_complains() {
        let gpl = Package {
            licence: Some("GPL-3.0-only".to_owned()),
            ..package("a", "1.0.0")
        };
        let git = Package {
            source: Some("git+https://x".to_owned()),
            ..package("b", "1.0.0")
        };
        assert_eq!(judged([gpl]), ["a 1.0.0: licence GPL-3.0-only"]);
        assert_eq!(judged([git]), ["b 1.0.0 comes from git+https://x"]);
        assert_eq!(
            judged([package("openssl-sys", "1.0.0")]),
            ["openssl-sys 1.0.0 is banned: ring"],
        );
        assert_eq!(
            judged([package("c", "1.0.0"), package("c", "2.0.0")]),
            ["c is there 2 times: 1.0.0, 2.0.0"],
        );
    }

    #[test]
    fn a_skip_that_nothing_needs_is_reported() {
        let complaints = Rules::read(RULES).unwrap().judge(&BTreeSet::new());
        assert_eq!(complaints, ["skip of base64@0.22 is not needed any more"]);
    }
}
