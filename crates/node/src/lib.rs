//! The daemon that runs game servers.
