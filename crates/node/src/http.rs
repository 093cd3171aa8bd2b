//! What all routes of the node share: who may call, how errors look, how bodies are read
//! (node-protocol.md §3.1).

mod error;
mod extract;
mod guard;

pub(crate) use error::{ApiError, ApiResult};
pub(crate) use extract::{Address, JsonBody, Known, Payload};
pub(crate) use guard::{finish, require_bearer};
