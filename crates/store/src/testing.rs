//! Throw-away databases for tests, and one test on both engines.
