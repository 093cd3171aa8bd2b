//! The built-in game of the demo.
