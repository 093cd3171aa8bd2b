//! `/servers/{server}/users`: one file per route.

mod create;
mod delete;
mod list;
mod update;
mod view;

use std::sync::Arc;
use std::sync::LazyLock;

use hatchery_app::Cx;
use hatchery_app::access::Access;
use hatchery_app::subusers::Granted;
use hatchery_rules::Fields;
use hatchery_store::{ServerSnapshot, Subuser, User};
use hatchery_vocab::UserUuid;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;
use crate::kit::actor::Segments;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Child;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list::list_subusers, create::create_subuser))
        .routes(routes!(
            view::view_subuser,
            update::update_subuser,
            delete::delete_subuser
        ))
}

/// The subuser of the server that an address names.
#[derive(Debug)]
pub(crate) struct OwnSubuser {
    subuser: Subuser,
    user: Arc<User>,
}

impl Child for OwnSubuser {
    async fn find(cx: &Cx, server: &ServerSnapshot, segments: &Segments) -> Result<Self, ApiError> {
        let uuid = segments
            .get("user")
            .and_then(|uuid| uuid.parse::<UserUuid>().ok());
        let uuid = uuid.ok_or_else(ApiError::not_found)?;
        let user = cx.store().user_by_uuid(uuid).await?;
        let user = user.ok_or_else(ApiError::not_found)?;
        let subuser = cx.store().subuser(user.id, server.id).await?;
        Ok(Self {
            subuser: subuser.ok_or_else(ApiError::not_found)?,
            user: user.into(),
        })
    }
}

impl OwnSubuser {
    /// Nobody looks at, changes or removes themselves (client-api.md §3.9).
    fn of_somebody_else<P>(self, access: &Access<P>) -> Result<Self, ApiError> {
        if self.user.id == access.actor.user.id {
            return Err(ApiError::missing_permission());
        }
        Ok(self)
    }
}

/// The permissions that a request would give, which is refused before anything of the request is
/// validated.
fn granted<P>(access: &Access<P>, input: &Input) -> Result<Granted, ApiError> {
    Granted::check(access, input.items("permissions")).map_err(|_| {
        ApiError::forbidden(
            "Cannot assign permissions to a subuser that your account does not actively possess.",
        )
    })
}

static PERMISSIONS: LazyLock<Fields> = LazyLock::new(|| permissions_of(Fields::new()));

/// These fields and the permissions.
fn permissions_of(fields: Fields) -> Fields {
    fields
        .field("permissions", "required|array")
        .field("permissions.*", "string")
}

/// The subuser of a route.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) struct SubuserPath {
    /// The UUID of the user.
    user: String,
}
