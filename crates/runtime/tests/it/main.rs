//! The process runtime as the node uses it, with real processes on the machine that runs the tests.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests play the panel, the machine and its owner"
)]

mod support;

mod confinement;
mod console;
mod docker;
mod engine;
mod fake;
mod games;
mod install;
mod limits;
mod shared;
mod survival;
