//! What panel and node say to each other.
