//! The clock and randomness as parameters.
//!
//! No other crate reads the wall clock or the system's randomness (`clippy.toml` bans it), so a
//! test decides what time it is and which tokens come out.

mod clock;
mod entropy;

pub use clock::{Clock, ManualClock, SystemClock};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
