//! The validation rule language, with the exact sentences of the wire.
//!
//! One engine serves two callers who speak the same language: requests declare their fields with
//! it ([`Fields`]), and eggs describe the variables that a person may edit ([`RuleSet`]). The
//! sentences are those of client-api.md §2.2, word for word, because published clients show them.
//!
//! The engine knows JSON values and nothing else: no HTTP, no database (so no `unique` and no
//! `exists`: their errors are made by those who can ask, with [`FieldError::taken`] and
//! [`FieldError::selected`]), no clock, no name lookup.
//!
//! Whoever reads the request trims strings and turns empty ones into null (client-api.md §1.11)
//! before the engine sees them.

mod check;
mod date;
mod fields;
mod format;
mod parse;
mod pattern;
mod rule;
mod sentence;
mod value;

pub use fields::{FieldError, Fields};
pub use parse::{Problem, RuleSet};
pub use pattern::{Pattern, PatternError};
pub use rule::{Bound, Comparison, Decimals, Rule};
