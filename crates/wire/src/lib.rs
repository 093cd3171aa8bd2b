//! The JSON of the public API: envelopes, error documents and resources.
//!
//! Every type here serialises to exactly what client-api.md says, attribute order included. The
//! crate knows no HTTP, no database and no rules; `hatchery-api` fills these types in.
//!
//! With the feature `schema` every type also describes itself for the OpenAPI document.

pub mod auth;
pub mod client;
mod envelope;
mod error;
mod map;
mod page;

pub use envelope::{Data, Included, Item, ItemWith, List, ListWith, NullResource, Resource};
pub use error::{ErrorDocument, ErrorEntry, ErrorMeta};
pub use map::OrderedMap;
pub use page::{Links, PageMeta, Pagination};

/// Implements [`Resource`] for each type: `resources! { Account: "user", … }`.
macro_rules! resources {
    ($($type:ty: $object:literal,)*) => {$(
        impl crate::Resource for $type {
            const OBJECT: &'static str = $object;
        }
    )*};
}
use resources;
