//! What the chore is asked for, by arguments and environment.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::recording::AREAS;
use crate::table::Row;

/// Areas that are reported, but may differ still: their routes are not part of the product yet.
const LATER: [&str; 2] = ["application", "remote"];

/// What to do.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The binary under test.
    pub binary: PathBuf,
    /// The folder with the recordings.
    pub recordings: PathBuf,
    /// A data folder with the world, instead of an import.
    pub world: Option<PathBuf>,
    /// The areas to replay.
    pub areas: Vec<String>,
    /// How many areas at once.
    pub jobs: usize,
    /// Whether to show what is wrong.
    pub differences: bool,
    /// Whether to show what was answered where the recording withholds the answer.
    pub withheld: bool,
    /// What names of exchanges that are shown contain.
    pub only: String,
    /// Where to write what the chore counts.
    results: Option<PathBuf>,
}

impl Arguments {
    /// Reads them.
    pub(crate) fn from_environment() -> Result<Arguments> {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let mut arguments = Arguments {
            binary: path("HATCHERY_BIN").context("HATCHERY_BIN names no binary")?,
            recordings: path("HATCHERY_CONFORMANCE")
                .context("HATCHERY_CONFORMANCE names no folder")?,
            world: None,
            areas: Vec::new(),
            jobs: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            differences: false,
            withheld: false,
            only: String::new(),
            results: None,
        };
        let mut given = std::env::args().skip(1);
        while let Some(argument) = given.next() {
            let mut value = || {
                given
                    .next()
                    .with_context(|| format!("{argument} needs a value"))
            };
            match argument.as_str() {
                "--differences" => arguments.differences = true,
                "--withheld" => arguments.withheld = true,
                "--only" => arguments.only = value()?,
                "--world" => arguments.world = Some(value()?.into()),
                "--jobs" => arguments.jobs = value()?.parse()?,
                "--results" => arguments.results = Some(value()?.into()),
                option if option.starts_with('-') => bail!("no such option: {option}"),
                area => {
                    ensure!(
                        AREAS.contains(&area),
                        "no such area: {area} (there are {})",
                        AREAS.join(", ")
                    );
                    arguments.areas.push(area.to_owned());
                }
            }
        }
        if arguments.areas.is_empty() {
            arguments.areas = AREAS.map(str::to_owned).to_vec();
        }
        Ok(arguments)
    }

    /// Whether an area that differs is no failure. One that was asked for by name always is.
    pub(crate) fn may_differ(&self, area: &str) -> bool {
        LATER.contains(&area) && self.areas.len() == AREAS.len()
    }

    /// Writes one line for each area: `passed NAME`, `failed NAME: why` or `skipped NAME: why`.
    pub(crate) fn write_results(&self, rows: &[Row]) -> Result<()> {
        let Some(file) = &self.results else {
            return Ok(());
        };
        let mut text = String::new();
        for row in rows {
            let area = &row.area;
            let wrong = row.wrong.len() + row.complaints.len();
            if row.is_right() {
                text.push_str(&format!("passed {area}\n"));
            } else if self.may_differ(area) {
                text.push_str(&format!("later {area}: {wrong} wrong\n"));
            } else {
                text.push_str(&format!("failed {area}: {wrong} wrong\n"));
            }
        }
        fs::write(file, text).with_context(|| file.display().to_string())
    }
}
