//! `PUT …/startup/variable`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::startup::{VariableError, set_variable};
use hatchery_rules::Fields;
use hatchery_wire::ItemWith;
use hatchery_wire::client::{EggVariable, StartupCommands};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;
use crate::render::startup;

/// A new value for a variable.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct UpdateVariable {
    /// The name of the variable in the environment.
    #[schema(example = "SERVER_JARFILE")]
    key: String,
    /// The value; it must keep the variable's own rules. It may be empty where they allow it, but
    /// must be there.
    #[schema(required, example = "server.jar")]
    value: Option<String>,
}

static UPDATE: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("key", "required|string")
        .field("value", "present")
});

/// Change a start variable
///
/// It counts from the next start of the server.
#[utoipa::path(
    put,
    path = "/api/client/servers/{server}/startup/variable",
    operation_id = "updateVariable",
    tag = "startup",
    params(ServerPath),
    request_body = UpdateVariable,
    responses((status = 200, body = ItemWith<EggVariable, StartupCommands>), ServerErrors)
)]
pub(crate) async fn update_variable(
    State(cx): State<Cx>,
    Server(access): Server<needs::StartupUpdate>,
    input: Input,
) -> Result<Ok200<ItemWith<EggVariable, StartupCommands>>, ApiError> {
    input.check(&UPDATE)?;
    let value = input.get("value").unwrap_or(&Value::Null);
    let changed = set_variable(&cx, &access, input.required_text("key"), value).await?;
    // The commands are those of the server as it is now.
    let server = cx.store().server(access.server.id).await?;
    let server = server.ok_or_else(ApiError::not_found)?;
    let variable = startup::variable(&changed.variable, changed.value);
    Ok(Ok200(ItemWith::new(variable, startup::commands(&server))))
}

impl From<VariableError> for ApiError {
    fn from(error: VariableError) -> Self {
        match error {
            VariableError::Unknown => {
                Self::bad_request("The environment variable you are trying to edit does not exist.")
            }
            VariableError::ReadOnly => {
                Self::bad_request("The environment variable you are trying to edit is read-only.")
            }
            VariableError::Invalid(errors) => Self::validation(errors),
            VariableError::Store(error) => error.into(),
        }
    }
}
