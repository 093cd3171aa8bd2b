//! `cargo xtask test`: everything that CI checks, on a machine that has nothing extra, with one
//! line at the end that counts it.

use std::fs;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::docker::Docker;
use crate::e2e::{self, Environment};
use crate::mariadb::MariaDb;
use crate::panel::{self, Profile};
use crate::postgres::Postgres;
use crate::report::{self, Counts, Report};
use crate::{cargo, codegen, conformance, demo, deny, interrupt, machine, program, project, tidy};

/// The nextest profile that writes the file which is counted.
const PROFILE: &str = "ci";

/// `cargo xtask test`
pub(crate) fn chore() -> Result<ExitCode> {
    interrupt::watch()?;
    let mut report = Report::default();
    let mut services = Services::default();

    report.check("machine", prepare);
    report.check("fmt", || cargo::fmt(cargo::Fmt::Check));
    report.check("tidy", tidy::chore);
    report.check("deny", deny::chore);
    report.check("lint", cargo::lint);
    report.check("build", cargo::build_all);
    let binary = panel::built(Profile::Dev)?;
    report.check("codegen", || codegen::run(codegen::Mode::Check, &binary));
    report.check("services", || services.start());
    report.part("rust tests", || {
        run(
            &["--workspace", "--exclude", "hatchery-e2e"],
            &[],
            &services.environment(),
        )
    });
    report.check("documentation", cargo::doc);
    report.part("end to end", || {
        e2e::run(&binary, services.environment(), &[])
    });
    report.part("conformance", || conformance::run(&binary));
    report.part("demo", || demo::check(&binary));
    drop(services);

    print!("\n{report}");
    if interrupt::requested() {
        bail!("interrupted: what is counted above is not everything");
    }
    Ok(if report.is_green() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs Rust tests and counts them, by nextest where it is installed.
pub(crate) fn run(
    packages: &[&str],
    filters: &[&str],
    environment: &Environment,
) -> Result<Counts> {
    let mut cargo = project::cargo();
    cargo
        .envs(environment.iter().cloned())
        .env("INSTA_UPDATE", "no");
    if !e2e::has_nextest() {
        cargo
            .args(["test", "--locked", "--all-targets", "--no-fail-fast"])
            .args(packages);
        cargo.args(["--", "--show-output"]).args(filters);
        return libtest(cargo);
    }
    cargo.args([
        "nextest",
        "run",
        "--locked",
        "--profile",
        PROFILE,
        "--no-tests=pass",
    ]);
    cargo.args(packages).args(filters);
    let results = junit_file();
    drop(fs::remove_file(&results));
    let outcome = program::run(&mut cargo);
    let Ok(text) = fs::read_to_string(&results) else {
        outcome?;
        bail!("the test runner wrote no {}", results.display());
    };
    let counts = report::read_junit(&text);
    match outcome {
        Err(error) if counts.failed.is_empty() => Err(error),
        _ => Ok(counts),
    }
}

/// Runs `cargo test` and counts by what it prints.
fn libtest(mut cargo: std::process::Command) -> Result<Counts> {
    eprintln!("$ cargo test");
    let output = cargo
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let counts = report::read_libtest(&text);
    if !output.status.success() {
        eprintln!("{text}");
        if counts.failed.is_empty() {
            bail!("cargo test failed ({})", output.status);
        }
    }
    Ok(counts)
}

/// Where nextest writes its results: always beneath the root, wherever cargo builds.
fn junit_file() -> PathBuf {
    project::root()
        .join("target/nextest")
        .join(PROFILE)
        .join("junit.xml")
}

/// Installs all that any test needs, at once.
fn prepare() -> Result<()> {
    let mut needs = vec![machine::CC, machine::BUSYBOX];
    needs.extend(e2e::NEEDS);
    needs.extend(conformance::NEEDS);
    machine::ensure(&needs)
}

/// What the tests talk to, stopped when dropped.
#[derive(Debug, Default)]
pub(crate) struct Services {
    postgres: Option<Postgres>,
    mariadb: Option<MariaDb>,
    docker: Option<Docker>,
}

impl Services {
    /// Starts them all.
    pub(crate) fn start(&mut self) -> Result<()> {
        self.postgres = Some(Postgres::start().context("PostgreSQL")?);
        self.mariadb = Some(MariaDb::start().context("MariaDB")?);
        self.docker = Some(Docker::start().context("Docker Engine")?);
        Ok(())
    }

    /// How tests find them.
    pub(crate) fn environment(&self) -> Environment {
        let postgres = self
            .postgres
            .as_ref()
            .map(|server| ("HATCHERY_TEST_POSTGRES", server.url.clone().into()));
        let mariadb = self
            .mariadb
            .as_ref()
            .map(|server| ("HATCHERY_TEST_MARIADB", server.url.clone().into()));
        let docker = self.docker.as_ref().map(|engine| {
            (
                "HATCHERY_TEST_DOCKER",
                engine.socket.clone().into_os_string(),
            )
        });
        postgres.into_iter().chain(mariadb).chain(docker).collect()
    }
}
