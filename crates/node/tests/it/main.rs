//! The node through its three doors: the panel's protocol, the browser's WebSocket and links, and
//! the runtime, which a test plays itself.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod backups;
mod boot;
mod console;
mod files;
mod install;
mod power;
mod protocol;
mod pull;
mod socket;
mod websocket;
mod world;
