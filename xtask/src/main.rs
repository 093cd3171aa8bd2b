//! `cargo xtask <chore>`: everything that a developer does more than once.
//!
//! Owns the order of chores and what they print. It knows the product only from outside: its
//! command line, its HTTP interface and its workspace metadata.

#![expect(
    clippy::disallowed_methods,
    reason = "chores read the tree, write generated files and start programs"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to a terminal"
)]

mod bench;
mod cargo;
mod codegen;
mod conformance;
mod demo;
mod deny;
mod docker;
mod e2e;
mod interrupt;
mod machine;
mod mariadb;
mod panel;
mod postgres;
mod program;
mod project;
mod report;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask CHORE

  demo [--release] [--check]  start a panel with a running demo game in a throw-away folder
  test                        everything that CI checks; ends with `N passed, N failed, N skipped`

  fmt [--check]               format the sources
  lint                        clippy on all targets, warnings denied
  tidy                        the invariants of ARCHITECTURE.md and STYLE.md
  deny                        licences, duplicates, bans and sources of the dependencies
  codegen [--check]           write openapi/*.json and docs/configuration.md
  doc                         build the documentation, warnings denied
  conformance [OPTION…] [AREA…]  replay recorded exchanges of the reference and tell what differs;
                              --differences [--only NAME], --withheld, --world DATA-FOLDER
  e2e [FILTER…]               real games, client libraries and faults against the real binary
  test-db                     start a throw-away PostgreSQL and MariaDB and print their URLs until Ctrl-C
  test-docker                 start a throw-away Docker Engine and print its socket until Ctrl-C
  bench                       measure, and write docs/performance.md
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match chore(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chore(arguments: &[&str]) -> Result<ExitCode> {
    let (name, rest) = arguments.split_first().unwrap_or((&"help", &[]));
    match (*name, rest) {
        ("help" | "--help" | "-h", _) => print!("{USAGE}"),
        ("fmt", []) => cargo::fmt(cargo::Fmt::Write)?,
        ("fmt", ["--check"]) => cargo::fmt(cargo::Fmt::Check)?,
        ("lint", []) => cargo::lint()?,
        ("doc", []) => cargo::doc()?,
        ("tidy", []) => tidy::chore()?,
        ("deny", []) => deny::chore()?,
        ("codegen", []) => codegen::chore(codegen::Mode::Write)?,
        ("codegen", ["--check"]) => codegen::chore(codegen::Mode::Check)?,
        ("test-db", []) => postgres::chore()?,
        ("test-docker", []) => docker::chore()?,
        ("test", []) => return test::chore(),
        ("conformance", arguments) => return conformance::chore(arguments),
        ("e2e", filters) => return e2e::chore(filters),
        ("bench", []) => bench::chore()?,
        ("demo", options) => demo::chore(options)?,
        _ => bail!("no such chore: {}\n\n{USAGE}", arguments.join(" ")),
    }
    Ok(ExitCode::SUCCESS)
}
