//! Who may use `/servers/{server}` itself.

use super::{Row, Works};

const SOCKET: &str =
    "HttpForbiddenException: You do not have permission to connect to this server's websocket.";

pub(super) const ROWS: &[Row] = &[
    Row::account("listServers"),
    Row::member("viewServer").works(Works::Always),
    Row::needs("openWebsocket", "websocket.connect")
        .works(Works::ForWatchers)
        .refuses(SOCKET),
    Row::member("viewResources"),
    Row::needs("listServerActivity", "activity.read"),
    Row::needs("sendCommand", "control.console")
        .json(r#"{"command": "list"}"#)
        .answers("204"),
    Row::needs("sendPowerSignal", "control.start")
        .json(r#"{"signal": "start"}"#)
        .answers("204"),
];
