//! Every query on both engines.
#![expect(clippy::unwrap_used, reason = "tests")]

mod activity;
mod allocations;
mod backups;
mod databases;
mod eggs;
mod identity;
mod lists;
mod schema;
mod servers;
mod world;
