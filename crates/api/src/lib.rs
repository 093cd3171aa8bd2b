//! The HTTP face of Hatchery.
