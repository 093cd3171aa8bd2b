//! The list of permissions (client-api.md §5.1).

use hatchery_vocab::PermissionGroup;
use serde::Serialize;

use crate::OrderedMap;

crate::resources! { SystemPermissions: "system_permissions", }

/// Every permission that a subuser can have.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SystemPermissions {
    /// By group.
    #[cfg_attr(feature = "schema", schema(value_type = HashMap<String, PermissionGroupText>))]
    pub permissions: OrderedMap<PermissionGroupText>,
}

/// One group of permissions.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PermissionGroupText {
    /// What the group is about.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub description: &'static str,
    /// What each permission of the group allows.
    #[cfg_attr(feature = "schema", schema(value_type = HashMap<String, String>))]
    pub keys: OrderedMap<&'static str>,
}

impl SystemPermissions {
    /// All of them, in the order of the specification.
    pub fn all() -> Self {
        let groups = PermissionGroup::ALL.iter().map(|group| {
            let text = PermissionGroupText {
                description: group.description,
                keys: group.keys.iter().copied().collect(),
            };
            (group.name, text)
        });
        Self {
            permissions: groups.collect(),
        }
    }
}
