//! The validation rule language, with the exact sentences of the wire.
