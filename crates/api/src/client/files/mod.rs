//! `/servers/{server}/files`: one file per route.

pub(super) mod contents;
pub(super) mod create_folder;
pub(super) mod delete;
pub(super) mod links;
pub(super) mod list;
pub(super) mod rename;
pub(super) mod write;
