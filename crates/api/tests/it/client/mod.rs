//! `/api/client`.

mod account;
mod files;
mod list;
mod permissions;
mod servers;
