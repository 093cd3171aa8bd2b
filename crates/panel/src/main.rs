//! The Hatchery binary.

fn main() {}
