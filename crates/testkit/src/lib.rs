//! Whole test panels, actors and clocks.
//!
//! [`TestPanel`] is a panel over a database of its own, with people, keys and servers in it and a
//! scripted node behind it. Requests go through the real router without a socket. Only ever a
//! dev-dependency.

mod node;
mod panel;
mod request;
mod world;

pub use node::{FakeNode, NodeCall};
pub use panel::{PanelOptions, TestPanel};
pub use request::{Answer, Call};
pub use world::{NODE_TOKEN, Person, ServerSketch, TestServer, World};
