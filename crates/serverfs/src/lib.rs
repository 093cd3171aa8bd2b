//! A server's files beneath a held directory descriptor.
