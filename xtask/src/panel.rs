//! Builds the binary for chores that drive it.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::{program, project};

/// Names a binary that is there already, so that no chore builds it again.
pub(crate) const BINARY_VARIABLE: &str = "HATCHERY_BIN";

/// How the binary is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Soon there; dependencies are optimised, the product itself is not.
    Dev,
    /// What people run.
    Release,
}

/// The binary: the one that the environment names, else a fresh build.
pub(crate) fn binary(profile: Profile) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(BINARY_VARIABLE).map(PathBuf::from) {
        ensure!(
            path.is_file(),
            "{BINARY_VARIABLE}: there is no {}",
            path.display()
        );
        return Ok(path);
    }
    let mut cargo = project::cargo();
    cargo.args(["build", "--locked", "--bin", "hatchery"]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    program::run(&mut cargo)?;
    built(profile)
}

/// Where cargo puts the binary.
pub(crate) fn built(profile: Profile) -> Result<PathBuf> {
    let folder = if profile == Profile::Release {
        "release"
    } else {
        "debug"
    };
    Ok(project::target_dir()?.join(folder).join("hatchery"))
}
