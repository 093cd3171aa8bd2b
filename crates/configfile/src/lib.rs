//! Edits game configuration files.
