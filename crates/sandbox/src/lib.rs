//! Confines a process.
