//! Passwords, API keys, one-time codes, sessions and address lists.
