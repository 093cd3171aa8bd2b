//! What people can do with Hatchery: one function per verb.
