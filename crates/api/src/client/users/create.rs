//! `POST …/users`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::subusers::{self, CreateError};
use hatchery_rules::Fields;
use hatchery_wire::Item;
use hatchery_wire::client::Subuser;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{granted, permissions_of};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;
use crate::render;

/// Whom to let use a server, and how.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct CreateSubuser {
    /// The person's address. Who has no account gets one.
    #[schema(max_length = 191, example = "friend@example.com")]
    email: String,
    /// What they may do; unknown permissions are dropped, and `websocket.connect` is always given.
    #[schema(min_items = 1, example = json!(["control.console", "control.start"]))]
    permissions: Vec<String>,
}

static CREATE: LazyLock<Fields> =
    LazyLock::new(|| permissions_of(Fields::new().field("email", "required|email|between:1,191")));

/// Add a subuser
///
/// Nobody gives permissions that they lack.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/users",
    operation_id = "createSubuser",
    tag = "users",
    params(ServerPath),
    request_body = CreateSubuser,
    responses((status = 200, body = Item<Subuser>), ServerErrors)
)]
pub(crate) async fn create_subuser(
    State(cx): State<Cx>,
    Server(access): Server<needs::UserCreate>,
    input: Input,
) -> Result<Ok200<Item<Subuser>>, ApiError> {
    let granted = granted(&access, &input)?;
    input.check(&CREATE)?;
    let created = subusers::create(&cx, &access, input.required_text("email"), granted).await?;
    Ok(Ok200(render::subuser(created).into()))
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Owner => Self::display(
                "UserIsServerOwnerException",
                "You cannot add the server owner as a subuser for this server.",
            ),
            CreateError::Exists => Self::display(
                "ServerSubuserExistsException",
                "A user with that email address is already assigned as a subuser for this server.",
            ),
            CreateError::Password(hatchery_auth::PasswordError::Busy) => Self::unavailable(),
            CreateError::Password(error) => Self::internal(&error),
            CreateError::Store(error) => error.into(),
        }
    }
}
