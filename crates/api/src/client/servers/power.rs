//! `POST /servers/{server}/power`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::console::{self, MaySend};
use hatchery_rules::Fields;
use hatchery_vocab::PowerSignal;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// What to do with the server's process.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the field is checked by its rules"
)]
pub(crate) struct SendPowerSignal {
    /// `start`, `stop`, `restart` or `kill`.
    signal: String,
}

static SEND: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("signal", "required|string|in:start,stop,restart,kill"));

/// Send a power signal
///
/// `start` takes the permission `control.start`, `restart` takes `control.restart`, `stop` and
/// `kill` take `control.stop`.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/power",
    operation_id = "sendPowerSignal",
    tag = "servers",
    params(ServerPath),
    request_body = SendPowerSignal,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn send_power_signal(
    State(cx): State<Cx>,
    Server(access): Server,
    input: Input,
) -> Result<NoContent, ApiError> {
    let signal = input
        .text("signal")
        .and_then(|signal| signal.parse::<PowerSignal>().ok());
    let Some(signal) = signal else {
        // Nobody but owners and administrators has the permission for an unknown signal, so nobody
        // else learns what is wrong with it (client-api.md §3.3.6).
        if !access.standing.is_owner && !access.standing.is_admin {
            return Err(ApiError::missing_permission());
        }
        input.check(&SEND)?;
        return Err(ApiError::missing_permission());
    };
    let granted = MaySend::check(&access, signal).ok_or_else(ApiError::missing_permission)?;
    console::send_power(&cx, &granted).await?;
    Ok(NoContent)
}
