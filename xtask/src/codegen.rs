//! Files that the binary writes about itself, committed so that a change of them is reviewed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::panel::{self, Profile};
use crate::{program, project};

/// The files, and what the binary is asked for each.
const FILES: [(&str, &[&str]); 2] = [
    ("openapi/client.json", &["openapi", "client"]),
    ("docs/configuration.md", &["docs", "configuration"]),
];

/// What to do with a file that is not what the binary says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Writes it.
    Write,
    /// Fails.
    Check,
}

/// `cargo xtask codegen`
pub(crate) fn chore(mode: Mode) -> Result<()> {
    run(mode, &panel::binary(Profile::Dev)?)
}

/// Asks `binary` for every generated file.
pub(crate) fn run(mode: Mode, binary: &Path) -> Result<()> {
    let mut stale = Vec::new();
    for (name, arguments) in FILES {
        let mut text = program::output(Command::new(binary).args(arguments))?;
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let path = project::root().join(name);
        if fs::read_to_string(&path).is_ok_and(|known| known == text) {
            continue;
        }
        if mode == Mode::Check {
            stale.push(name);
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {name}"))?;
        eprintln!("codegen: wrote {name}");
    }
    if !stale.is_empty() {
        bail!(
            "stale: {}. `cargo xtask codegen` writes them",
            stale.join(", ")
        );
    }
    Ok(())
}
