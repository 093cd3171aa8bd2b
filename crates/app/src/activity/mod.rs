//! The activity log: what is recorded, and how it is shown (client-api.md §12).

mod list;
mod record;
mod shown;

pub use list::{ActivityPage, of_server, of_user};
pub use record::Event;
pub use shown::{has_additional_metadata, shown_properties};
