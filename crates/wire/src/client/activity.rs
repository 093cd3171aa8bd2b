//! What was done (client-api.md §4.13).

use serde::Serialize;
use serde_json::{Map, Value};

use super::PublicUser;
use crate::{Included, Item};

crate::resources! { ActivityLog: "activity_log", }

/// One entry of an activity log.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ActivityLog {
    /// Forty hexadecimal digits.
    pub id: String,
    /// Always null.
    pub batch: Option<String>,
    /// What happened, such as `server:power.start`.
    pub event: String,
    /// Whether an API key made the request.
    pub is_api: bool,
    /// From where; shown to the actor and to root administrators.
    pub ip: Option<String>,
    /// A sentence, where there is one.
    pub description: Option<String>,
    /// Details of the event.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub properties: Map<String, Value>,
    /// Whether the details hold more than the sentence about the event shows.
    pub has_additional_metadata: bool,
    /// When.
    pub timestamp: String,
    /// Only with `include=actor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationships: Option<ActivityRelationships>,
}

/// What can be included in an entry.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ActivityRelationships {
    /// Who did it.
    pub actor: Included<Item<PublicUser>>,
}
