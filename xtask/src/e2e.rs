//! Runs the end-to-end tests: prepares what they need once, then hands over to the test runner.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::panel::{self, BINARY_VARIABLE, Profile};
use crate::report::{self, Counts};
use crate::{interrupt, machine, program, project, test};

/// What the tests need from the machine.
pub(crate) const NEEDS: [machine::Need; 10] = [
    machine::CURL,
    machine::DEBOOTSTRAP,
    machine::DOCKER,
    machine::DOCKERD,
    machine::MARIADB,
    machine::NODE,
    machine::NPM,
    machine::OPENARENA,
    machine::POSTGRES,
    machine::PYTHON,
];

/// What a panel's tests are told by environment.
pub(crate) type Environment = Vec<(&'static str, OsString)>;

/// `cargo xtask e2e [FILTER…]`
pub(crate) fn chore(filters: &[&str]) -> Result<ExitCode> {
    interrupt::watch()?;
    machine::ensure(&NEEDS)?;
    let binary = panel::binary(Profile::Dev)?;
    let mut services = test::Services::default();
    services.start()?;
    let counts = run(&binary, services.environment(), filters)?;
    let mut report = report::Report::default();
    report.part("end to end", || Ok(counts));
    print!("\n{report}");
    Ok(if report.is_green() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs the tests against `binary`.
pub(crate) fn run(binary: &Path, mut environment: Environment, filters: &[&str]) -> Result<Counts> {
    environment.push((BINARY_VARIABLE, binary.into()));
    environment.push(("HATCHERY_E2E_CACHE", cache()?.into_os_string()));
    test::run(&["--package", "hatchery-e2e"], filters, &environment)
}

/// The folder for what package managers install; it outlives a run.
fn cache() -> Result<PathBuf> {
    let folder = project::target_dir()?.join("e2e-cache");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Whether nextest is on the machine.
pub(crate) fn has_nextest() -> bool {
    program::find("cargo-nextest").is_some()
}
