//! Drives the real binary from outside, as its users do: by command line, HTTP and WebSocket.
//!
//! Owns how a panel is started in a throw-away folder, stopped and killed, and a small blocking
//! HTTP client. It knows nothing of the product's crates: what it cannot see, a user cannot either.
//! The tests beside it and the chores of `xtask` stand on it.

#![expect(
    clippy::disallowed_methods,
    reason = "starts the product and looks at its folder from outside"
)]

mod http;
mod panel;
mod service;

pub use http::{Answer, Client, exchange};
pub use panel::{Engine, Options, Panel};
pub use service::Service;

/// A port of the loopback address that nobody used a moment ago.
pub fn free_port() -> std::io::Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}
