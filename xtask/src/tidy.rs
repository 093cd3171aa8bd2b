//! The invariants of ARCHITECTURE.md and STYLE.md, proved on the tree and on `cargo metadata`.

mod dependencies;
mod named_tests;
mod sources;

use anyhow::{Result, bail};

/// One invariant: its name, and a function that lists what breaks it.
type Rule = (&'static str, fn() -> Result<Vec<String>>);

const RULES: [Rule; 11] = [
    (
        "crates depend only on what ARCHITECTURE.md allows",
        dependencies::direction,
    ),
    (
        "crates name only the outside crates that their concern needs",
        dependencies::outside,
    ),
    (
        "a node never sees the panel's database",
        dependencies::node_is_apart,
    ),
    (
        "every crate inherits the workspace's lints",
        dependencies::lints,
    ),
    ("every module says what it owns", sources::module_docs),
    ("no test is ignored", sources::no_ignored_tests),
    (
        "no example in documentation pretends to be tested",
        sources::no_untested_examples,
    ),
    (
        "the tests that pages of docs name exist",
        named_tests::exist,
    ),
    (
        "everything that clients rely on has a test",
        named_tests::every_quirk,
    ),
    ("only store and db contain SQL", sources::sql_in_its_place),
    (
        "no text of one workplace in the tree",
        sources::no_workplace,
    ),
];

/// How many rules there are.
pub(crate) const COUNT: usize = RULES.len();

/// Checks every rule and says what breaks which.
pub(crate) fn chore() -> Result<()> {
    let mut broken = 0;
    for (name, rule) in RULES {
        let complaints = rule()?;
        if !complaints.is_empty() {
            broken += 1;
            eprintln!("tidy: {name}:");
            for complaint in complaints {
                eprintln!("  {complaint}");
            }
        }
    }
    if broken > 0 {
        bail!("{broken} of {COUNT} rules are broken");
    }
    eprintln!("tidy: {COUNT} rules hold");
    Ok(())
}
