//! The chores that are one call of cargo.

use anyhow::Result;

use crate::{program, project};

/// Private items are documented too, so public ones may point at them.
const DOC_LINTS: &str = "-D warnings -A rustdoc::private_intra_doc_links";

/// What `fmt` does with a file that is not formatted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fmt {
    /// Formats it.
    Write,
    /// Fails.
    Check,
}

/// `cargo fmt` on the whole workspace.
pub(crate) fn fmt(mode: Fmt) -> Result<()> {
    let mut cargo = project::cargo();
    cargo.args(["fmt", "--all"]);
    if mode == Fmt::Check {
        cargo.arg("--check");
    }
    program::run(&mut cargo)
}

/// Clippy on every target, warnings denied.
pub(crate) fn lint() -> Result<()> {
    let mut cargo = project::cargo();
    cargo.args([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--quiet",
    ]);
    program::run(cargo.args(["--", "-D", "warnings"]))
}

/// The documentation, warnings denied: a link that leads nowhere is an error.
pub(crate) fn doc() -> Result<()> {
    let mut cargo = project::cargo();
    cargo.args([
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    program::run(cargo.arg("--quiet").env("RUSTDOCFLAGS", DOC_LINTS))
}

/// Builds everything that tests need, with the features that the tests' own build would choose,
/// so that nothing is built twice.
pub(crate) fn build_all() -> Result<()> {
    let mut cargo = project::cargo();
    program::run(cargo.args([
        "build",
        "--locked",
        "--workspace",
        "--all-targets",
        "--quiet",
    ]))
}
