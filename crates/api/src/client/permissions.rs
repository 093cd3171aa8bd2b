//! `GET /permissions`.

use std::sync::LazyLock;

use bytes::Bytes;
use hatchery_wire::Item;
use hatchery_wire::client::SystemPermissions;

use super::documented::AccountErrors;
use crate::kit::actor::Account;
use crate::kit::answer::Written;

/// List permissions
///
/// Every permission that a subuser can have, with a description.
#[utoipa::path(
    get,
    path = "/api/client/permissions",
    operation_id = "listPermissions",
    tag = "permissions",
    responses((status = 200, body = Item<SystemPermissions>), AccountErrors)
)]
pub(crate) async fn list_permissions(_: Account) -> Written {
    static PERMISSIONS: LazyLock<Bytes> = LazyLock::new(|| {
        // Writing into memory cannot fail, and the keys are texts.
        serde_json::to_vec(&Item::from(SystemPermissions::all()))
            .unwrap_or_default()
            .into()
    });
    Written(PERMISSIONS.clone())
}
