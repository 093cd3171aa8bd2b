//! Servers: state, power, console, installation, settings, sessions.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use hatchery_node_proto::{
    Commands, CreateServer, DeauthorizeUser, DenyTokens, Logs, Power, ServerConfiguration,
    ServerDetails,
};
use hatchery_vocab::{PowerSignal, ServerUuid};
use serde::Deserialize;

use crate::http::{ApiError, ApiResult, JsonBody, Known, Payload};
use crate::hub::Close;
use crate::lifecycle;
use crate::power::Refusal;
use crate::server::{Server, ServerError};
use crate::state::NodeState;

/// The longest and the usual wait for a power action to end.
const LONGEST_WAIT: u64 = 300;
const USUAL_WAIT: u64 = 30;
/// How many lines of the console are answered at most, and when nothing is asked.
const LOG_LINES: usize = 100;

pub(super) async fn list(State(node): State<NodeState>) -> JsonBody<Vec<ServerDetails>> {
    JsonBody(
        node.registry
            .all()
            .iter()
            .map(|server| server.details())
            .collect(),
    )
}

pub(super) async fn show(Known(server): Known) -> JsonBody<ServerDetails> {
    JsonBody(server.details())
}

pub(super) async fn create(
    State(node): State<NodeState>,
    Payload(body): Payload<serde_json::Value>,
) -> ApiResult<StatusCode> {
    let Ok(CreateServer {
        uuid,
        start_on_completion,
    }) = serde_json::from_value(body)
    else {
        let text = "The data provided in the request could not be validated.";
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    };
    if node.registry.get(uuid).is_some() {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "The server exists on this instance already.",
        ));
    }
    let configuration = fetch(&node, uuid).await?;
    let server = lifecycle::add(&node, configuration, None)
        .map_err(|error| ApiError::internal(&error))?
        .ok_or_else(|| {
            ApiError::new(
                StatusCode::CONFLICT,
                "The server exists on this instance already.",
            )
        })?;
    server
        .install(false, start_on_completion)
        .await
        .map_err(|error| ApiError::internal(&error))?;
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn delete(State(node): State<NodeState>, Known(server): Known) -> StatusCode {
    lifecycle::delete(&node, &server).await;
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(super) struct LogQuery {
    size: Option<String>,
}

pub(super) async fn logs(Known(server): Known, Query(query): Query<LogQuery>) -> JsonBody<Logs> {
    let size = query
        .size
        .and_then(|size| size.parse().ok())
        .unwrap_or(LOG_LINES)
        .clamp(1, LOG_LINES);
    let lines = server.console.lock().last(size);
    JsonBody(Logs {
        data: Some(lines.iter().map(ToString::to_string).collect()),
    })
}

pub(super) async fn install_logs(Known(server): Known) -> JsonBody<Logs> {
    let lines = server.installation.lock().last(usize::MAX);
    JsonBody(Logs {
        data: Some(lines.iter().map(ToString::to_string).collect()),
    })
}

pub(super) async fn power(
    Known(server): Known,
    Payload(body): Payload<Power>,
) -> ApiResult<StatusCode> {
    let Ok(signal) = body.action.parse::<PowerSignal>() else {
        let text = "The power action provided was not valid, should be one of \"stop\", \"start\", \"restart\", \"kill\"";
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    };
    if matches!(signal, PowerSignal::Start | PowerSignal::Restart) && server.is_suspended() {
        let text = "Cannot start or restart a server that is suspended.";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, text));
    }
    let wait = match body.wait_seconds.map(u64::try_from) {
        None | Some(Ok(0)) => 0,
        Some(Ok(seconds)) if seconds <= LONGEST_WAIT => seconds,
        Some(_) => USUAL_WAIT,
    };
    // The action runs after the answer, and its refusal goes to the log alone.
    tokio::spawn(async move {
        if let Err(error) = server.power(signal, Duration::from_secs(wait)).await {
            tracing::info!(server = %server.uuid(), %signal, %error, "a power action was refused");
        }
    });
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn commands(
    Known(server): Known,
    Payload(body): Payload<Commands>,
) -> ApiResult<StatusCode> {
    match server.type_lines(body.commands).await {
        Ok(()) => {}
        Err(ServerError::NotRunning) => {
            let text = "Cannot send commands to a stopped server instance.";
            return Err(ApiError::new(StatusCode::BAD_GATEWAY, text));
        }
        // Known to the log alone, as in the reference.
        Err(error) => {
            tracing::warn!(server = %server.uuid(), %error, "a command was not delivered");
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn install(Known(server): Known) -> ApiResult<StatusCode> {
    begin_install(&server, false).await
}

pub(super) async fn reinstall(Known(server): Known) -> ApiResult<StatusCode> {
    begin_install(&server, true).await
}

async fn begin_install(server: &Server, reinstall: bool) -> ApiResult<StatusCode> {
    match server.install(reinstall, false).await {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(ServerError::Refused(Refusal::Locked | Refusal::Installing | Refusal::Restoring)) => {
            let text =
                "Cannot execute server reinstall event while another power action is running.";
            Err(ApiError::new(StatusCode::CONFLICT, text))
        }
        Err(error) => Err(ApiError::internal(&error)),
    }
}

pub(super) async fn sync(
    State(node): State<NodeState>,
    Known(server): Known,
) -> ApiResult<StatusCode> {
    let configuration = fetch(&node, server.uuid()).await?;
    server
        .apply(configuration)
        .await
        .map_err(|error| ApiError::internal(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn deny(
    State(node): State<NodeState>,
    Known(_): Known,
    Payload(body): Payload<DenyTokens>,
) -> StatusCode {
    node.tokens.deny(body.jtis);
    StatusCode::NO_CONTENT
}

pub(super) async fn deauthorize_user(
    State(node): State<NodeState>,
    Payload(body): Payload<DeauthorizeUser>,
) -> StatusCode {
    let servers = if body.servers.is_empty() {
        node.registry.all()
    } else {
        body.servers
            .iter()
            .filter_map(|server| node.registry.get(*server))
            .collect()
    };
    node.tokens
        .deny_user(body.user, servers.iter().map(|server| server.uuid()));
    for server in servers {
        server.hub.close_user(body.user, Close::DEAUTHORIZED);
    }
    StatusCode::NO_CONTENT
}

async fn fetch(node: &NodeState, server: ServerUuid) -> ApiResult<ServerConfiguration> {
    let fetched = node
        .panel
        .server(server)
        .await
        .map_err(|error| ApiError::internal(&error))?;
    fetched.ok_or_else(|| ApiError::internal(&"server does not exist on remote system"))
}
