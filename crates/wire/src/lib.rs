//! The JSON of the public API.
