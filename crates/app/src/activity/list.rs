//! Reading the activity log.

use hatchery_store::{ActivityQuery, ActivityRecord, Paged, StoreError, Subject};

use crate::access::{Access, needs};
use crate::{Actor, Cx};

/// A page of a log.
pub type ActivityPage = Paged<ActivityRecord>;

/// What concerns a user.
pub async fn of_user(
    cx: &Cx,
    actor: &Actor,
    wanted: &ActivityQuery,
) -> Result<ActivityPage, StoreError> {
    cx.store()
        .activity(Subject::User(actor.user.id), wanted)
        .await
}

/// What concerns a server.
pub async fn of_server(
    cx: &Cx,
    access: &Access<needs::ActivityRead>,
    wanted: &ActivityQuery,
) -> Result<ActivityPage, StoreError> {
    let wanted = ActivityQuery {
        hide_admins: cx.settings().hide_admin_activity,
        ..wanted.clone()
    };
    cx.store()
        .activity(Subject::Server(access.server.id), &wanted)
        .await
}
