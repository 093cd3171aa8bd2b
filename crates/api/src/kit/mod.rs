//! The wire as parts: what every route is made of.
//!
//! A route of the client API is a function whose arguments prove what must hold: an
//! [`Account`](actor::Account) or a [`Server`](server::Server) with the permission in its type, then
//! [`Input`](input::Input). The order of the checks (client-api.md §1.3) follows from that order;
//! the first seven are made by the [`gate`] in front of every route.

pub mod actor;
pub mod answer;
pub(crate) mod cors;
pub mod error;
pub mod form;
pub(crate) mod front;
pub(crate) mod gate;
pub mod input;
pub mod origin;
pub mod page;
pub mod query;
pub mod rate_limit;
pub mod server;
pub mod session;
