//! Starts the replay of recorded exchanges of the reference, and counts its areas.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::panel::{BINARY_VARIABLE, Profile};
use crate::report::Counts;
use crate::{interrupt, machine, panel, program, project};

/// Names the folder with the recordings.
const FOLDER_VARIABLE: &str = "HATCHERY_CONFORMANCE";

/// Where the recordings are in a workplace that has them, seen from the root.
const BESIDE: &str = "../shared/conformance";

/// What a replay needs from the machine.
pub(crate) const NEEDS: [machine::Need; 2] = [machine::MARIADB, machine::PYTHON];

/// `cargo xtask conformance [OPTION…] [AREA…]`
pub(crate) fn chore(arguments: &[&str]) -> Result<ExitCode> {
    interrupt::watch()?;
    let Some(recordings) = recordings() else {
        println!("SKIPPED: {}", missing());
        return Ok(ExitCode::SUCCESS);
    };
    machine::ensure(&NEEDS)?;
    let mut cargo = project::cargo();
    cargo.args(["build", "--locked", "--quiet"]);
    cargo.args([
        "--package",
        "hatchery-panel",
        "--package",
        "hatchery-conformance",
    ]);
    program::run(&mut cargo)?;
    let binary = panel::binary(Profile::Dev)?;
    let status = replay(&binary, &recordings)?.args(arguments).status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Replays all areas with what is built already.
pub(crate) fn run(binary: &Path) -> Result<Counts> {
    let Some(recordings) = recordings() else {
        return Ok(Counts {
            skipped: vec![missing()],
            ..Counts::default()
        });
    };
    let folder = tempfile::tempdir()?;
    let results = folder.path().join("results");
    let mut replay = replay(binary, &recordings)?;
    replay.arg("--results").arg(&results);
    // It says itself what is wrong; what it does not count is an error.
    let outcome = program::run(&mut replay);
    let Ok(text) = fs::read_to_string(&results) else {
        outcome?;
        anyhow::bail!("the replay wrote no {}", results.display());
    };
    Ok(counts(&text))
}

fn replay(binary: &Path, recordings: &Path) -> Result<std::process::Command> {
    let program = binary.with_file_name("conformance");
    let program = if program.is_file() {
        program
    } else {
        panel::built(Profile::Dev)?.with_file_name("conformance")
    };
    let mut command = std::process::Command::new(program);
    command
        .env(BINARY_VARIABLE, binary)
        .env(FOLDER_VARIABLE, recordings);
    Ok(command)
}

/// The folder with the recordings, if there is one.
fn recordings() -> Option<PathBuf> {
    let folder = std::env::var_os(FOLDER_VARIABLE)
        .map_or_else(|| project::root().join(BESIDE), PathBuf::from);
    folder
        .canonicalize()
        .ok()
        .filter(|folder| folder.join("recordings").is_dir())
}

fn missing() -> String {
    format!("conformance: no recordings in {BESIDE}, and {FOLDER_VARIABLE} names none")
}

/// One result for each area. Areas that may still differ count as neither.
fn counts(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines() {
        let (outcome, what) = line.split_once(' ').unwrap_or((line, ""));
        match outcome {
            "passed" => counts.passed += 1,
            "failed" => counts.failed.push(format!("conformance {what}")),
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_area_is_one_result() {
        let counts = counts("passed files\nfailed users: 2 wrong\nlater remote: 72 wrong\n");
        assert_eq!(counts.passed, 1);
        assert_eq!(counts.failed, ["conformance users: 2 wrong"]);
        assert!(counts.skipped.is_empty());
    }
}
