//! `POST /servers/{server}/command`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::console::{self, CommandError};
use hatchery_rules::Fields;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// A line for the console.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the field is checked by its rules"
)]
pub(crate) struct SendCommand {
    /// The line, without its end.
    command: String,
}

static SEND: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("command", "required|string|min:1"));

/// Send a command
///
/// Types a line into the server's console. The server must run.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/command",
    operation_id = "sendCommand",
    tag = "servers",
    params(ServerPath),
    request_body = SendCommand,
    responses((status = 204), (status = 502, description = "The server does not run."), ServerErrors)
)]
pub(crate) async fn send_command(
    State(cx): State<Cx>,
    Server(access): Server<needs::ControlConsole>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&SEND)?;
    console::send_command(&cx, &access, input.required_text("command")).await?;
    Ok(NoContent)
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Offline => Self::new(
                StatusCode::BAD_GATEWAY,
                "HttpException",
                "Server must be online in order to send commands.",
            ),
            CommandError::Node(error) => Self::daemon(&error),
        }
    }
}
