//! Who may know whom: the table of ARCHITECTURE.md against the manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::project;

/// The prefix of the workspace's packages; folders are named without it.
const PREFIX: &str = "hatchery-";

/// Crates of these kinds stay out of pure crates.
const RUNTIMES: [&str; 7] = [
    "async-std",
    "futures-executor",
    "mio",
    "smol",
    "tokio",
    "tokio-stream",
    "tokio-util",
];
const HTTP: [&str; 12] = [
    "axum",
    "axum-core",
    "h2",
    "http",
    "http-body",
    "http-body-util",
    "hyper",
    "hyper-util",
    "multer",
    "reqwest",
    "tower",
    "tower-http",
];
const SQL: [&str; 6] = [
    "deadpool-postgres",
    "mysql_async",
    "rusqlite",
    "sqlx",
    "tokio-postgres",
    "tokio-postgres-rustls",
];

/// Outside crates that a workspace crate must not name, by kind.
const FORBIDDEN: [(&str, &[&[&str]]); 8] = [
    ("vocab", &[&RUNTIMES, &HTTP, &SQL]),
    ("rules", &[&RUNTIMES, &HTTP, &SQL]),
    ("eggs", &[&RUNTIMES, &HTTP, &SQL]),
    ("configfile", &[&RUNTIMES, &HTTP, &SQL]),
    ("demo-game", &[&HTTP, &SQL]),
    ("wire", &[&RUNTIMES, &SQL]),
    (
        "app",
        &[&["axum", "axum-core", "multer", "tower-http"], &SQL],
    ),
    ("store", &[&HTTP]),
];

/// The crates that belong to a node, and those of the panel that it must not know.
const NODE: [&str; 4] = ["node", "runtime", "sandbox", "serverfs"];
const PANEL_ONLY: [&str; 4] = ["api", "app", "db", "store"];

/// A member of the workspace, as its manifest says.
struct Member {
    name: String,
    manifest: String,
    /// Dependencies of the product itself (build scripts included), and those of tests only.
    normal: BTreeSet<String>,
    dev: BTreeSet<String>,
}

/// Every member names only the members that the table allows; `testkit` only in tests.
pub(crate) fn direction() -> Result<Vec<String>> {
    let table = allowed(&fs::read_to_string(
        project::root().join("ARCHITECTURE.md"),
    )?);
    let members = members()?;
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut complaints = Vec::new();
    for Member {
        name, normal, dev, ..
    } in &members
    {
        let Some(may_use) = table.get(name.as_str()) else {
            complaints.push(format!("{name} is not in the map"));
            continue;
        };
        for other in normal.iter().filter(|other| names.contains(other.as_str())) {
            if !may_use.permits(other) {
                complaints.push(format!("{name} depends on {other}"));
            }
        }
        if dev.contains("panel") {
            complaints.push(format!("{name} depends on the binary in its tests"));
        }
    }
    let unknown = table.keys().filter(|name| !names.contains(name.as_str()));
    complaints.extend(unknown.map(|name| format!("{name} is in the map, but does not exist")));
    Ok(complaints)
}

/// Who may name a database driver: `db`, what speaks to other people's servers, and what looks at the
/// product's file from outside.
const DRIVERS: [&str; 4] = ["conformance", "db", "dbhost", "import"];

/// The invariants about crates from outside, and who names a database driver.
pub(crate) fn outside() -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for Member { name, normal, .. } in &members()? {
        let forbidden = FORBIDDEN.iter().filter(|(member, _)| member == name);
        for other in forbidden.flat_map(|(_, kinds)| kinds.iter().copied().flatten()) {
            if normal.contains(*other) {
                complaints.push(format!("{name} depends on {other}"));
            }
        }
        for driver in SQL
            .iter()
            .filter(|driver| !DRIVERS.contains(&name.as_str()) && normal.contains(**driver))
        {
            complaints.push(format!("{name} depends on the database driver {driver}"));
        }
    }
    complaints.sort();
    complaints.dedup();
    Ok(complaints)
}

/// A node's crates do not reach the panel's, not even through others.
pub(crate) fn node_is_apart() -> Result<Vec<String>> {
    let members = members()?;
    let direct: BTreeMap<&str, &BTreeSet<String>> = members
        .iter()
        .map(|member| (member.name.as_str(), &member.normal))
        .collect();
    let mut complaints = Vec::new();
    for start in NODE {
        let mut reached = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(name) = open.pop() {
            for other in direct.get(name).into_iter().copied().flatten() {
                if direct.contains_key(other.as_str()) && reached.insert(other) {
                    open.push(other);
                }
            }
        }
        let seen = PANEL_ONLY.iter().filter(|name| reached.contains(**name));
        complaints.extend(seen.map(|name| format!("{start} reaches {name}")));
    }
    Ok(complaints)
}

/// Every manifest says `[lints] workspace = true`; `sandbox`, which needs unsafe code, sets its own.
pub(crate) fn lints() -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for Member { name, manifest, .. } in members()? {
        let manifest: toml::Table = fs::read_to_string(&manifest)?
            .parse()
            .with_context(|| format!("{manifest} is not TOML"))?;
        let lints = manifest.get("lints");
        let inherited = lints.and_then(|lints| lints.get("workspace")?.as_bool()) == Some(true);
        let own = name == "sandbox" && lints.is_some_and(|lints| lints.get("clippy").is_some());
        if !inherited && !own {
            complaints.push(format!("{name} does not inherit the lints"));
        }
    }
    Ok(complaints)
}

/// A cell of the map's last column.
#[derive(Debug, PartialEq, Eq)]
enum MayUse {
    Only(BTreeSet<String>),
    EverythingBut(BTreeSet<String>),
}

impl MayUse {
    fn permits(&self, name: &str) -> bool {
        match self {
            MayUse::Only(names) => names.contains(name),
            // Nothing of the product may stand on what tests stand on.
            MayUse::EverythingBut(names) => name != "testkit" && !names.contains(name),
        }
    }
}

/// Reads the map: rows of `` | `crate` | concern | may use | ``.
fn allowed(architecture: &str) -> BTreeMap<String, MayUse> {
    architecture
        .lines()
        .filter_map(|line| {
            let mut cells = line
                .strip_prefix("| `")?
                .trim_end()
                .trim_end_matches('|')
                .split('|');
            let name = cells.next()?.trim().trim_end_matches('`');
            Some((name.to_owned(), may_use(cells.next_back()?.trim())))
        })
        .collect()
}

fn may_use(cell: &str) -> MayUse {
    let names = |list: &str| {
        list.split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect()
    };
    match cell.strip_prefix("everything") {
        Some(rest) => MayUse::EverythingBut(names(rest.trim().trim_start_matches("but "))),
        None if cell == "nothing" => MayUse::Only(BTreeSet::new()),
        None => MayUse::Only(names(cell)),
    }
}

fn members() -> Result<Vec<Member>> {
    let metadata = project::metadata(&["--no-deps"])?;
    let packages = metadata["packages"]
        .as_array()
        .context("no packages in metadata")?;
    packages.iter().map(member).collect()
}

fn member(package: &Value) -> Result<Member> {
    let text = |key: &str| {
        package[key]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("package without {key}"))
    };
    let named = |wanted: fn(Option<&str>) -> bool| {
        package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|dependency| wanted(dependency["kind"].as_str()))
            .filter_map(|dependency| dependency["name"].as_str())
            .map(short)
            .collect()
    };
    Ok(Member {
        name: short(&text("name")?),
        manifest: text("manifest_path")?,
        normal: named(|kind| kind != Some("dev")),
        dev: named(|kind| kind == Some("dev")),
    })
}

/// A package's name without the prefix. The binary's package may be named after the product alone.
fn short(name: &str) -> String {
    if name == "hatchery" {
        return "panel".to_owned();
    }
    name.strip_prefix(PREFIX).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_is_read_from_the_table() {
        let table = allowed(
            "# Map\n| crate | concern | may use |\n| --- | --- | --- |\n\
             | `vocab` | ids, power | nothing |\n\
             | `auth` | passwords | ambient, vocab |\n\
             | `testkit` | panels | everything but panel |\n\
             | `panel` | binary | everything |\n",
        );
        assert_eq!(table.len(), 4);
        assert_eq!(table["vocab"], MayUse::Only(BTreeSet::new()));
        assert!(table["auth"].permits("ambient"));
        assert!(!table["auth"].permits("store"));
        assert!(table["testkit"].permits("store"));
        assert!(!table["testkit"].permits("panel"));
        assert!(table["panel"].permits("store"));
        assert!(!table["panel"].permits("testkit"));
    }
}
