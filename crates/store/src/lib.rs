//! Every query, and the caches in front of them.
