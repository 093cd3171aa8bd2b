//! One open WebSocket: who is on it, what they may see and do.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use hatchery_node_proto::jwt::{Claims, JwtError, Websocket};
use hatchery_node_proto::ws::{Inbound, inbound, outbound};
use hatchery_vocab::{Permission, PowerSignal, PowerState};
use serde_json::Map;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::buckets::{Buckets, Pass};
use super::seats::Seat;
use crate::console::MAX_LINES;
use crate::hub::{Audience, Close, Frame, Next, Viewer};
use crate::power::Refusal;
use crate::server::{Server, ServerError};
use crate::state::NodeState;
use crate::tokens::TokenError;

/// How often the age of the token is looked at.
const TICK: Duration = Duration::from_secs(30);
/// How many seconds before its end a token is called expiring.
const EXPIRING: i64 = 60;
/// How many frames are written before the client is listened to again.
const BATCH: usize = 64;

/// What a failure is called for those who may not see its cause (node-protocol.md §4.5).
const GENERIC: &str = "an unexpected error was encountered while handling this request";
/// The permission to see causes.
const SEE_ERRORS: &str = "admin.websocket.errors";
/// The permission to see installations.
const SEE_INSTALL: &str = "admin.websocket.install";

/// Why a token is no good. Clients look for these texts (node-protocol.md §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Unfit {
    #[error("jwt: no jwt present")]
    Missing,
    #[error("jwt: missing connect permission")]
    Connect,
    #[error("jwt: server uuid mismatch")]
    Server,
    #[error("jwt: created too far in past (denylist)")]
    Denied,
    #[error("jwt: exp claim is invalid")]
    Expired,
}

/// An open WebSocket.
pub(super) struct Session {
    node: NodeState,
    server: Arc<Server>,
    address: IpAddr,
    seat: Seat,
    viewer: Arc<Viewer>,
    token: Option<Claims<Websocket>>,
    /// Whether the client was told that its token is no good any more.
    told: bool,
    expired: bool,
    buckets: Buckets,
    changes: watch::Receiver<u64>,
    opened: Instant,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.server.hub.leave(&self.viewer);
    }
}

impl Session {
    pub(super) fn new(node: NodeState, server: Arc<Server>, address: IpAddr, seat: Seat) -> Self {
        let now = Instant::now();
        Self {
            viewer: server.hub.join(),
            changes: node.tokens.changes(),
            node,
            server,
            address,
            seat,
            token: None,
            told: false,
            expired: false,
            buckets: Buckets::new(now),
            opened: now,
        }
    }

    /// Serves the socket until either side closes it.
    pub(super) async fn run(mut self, socket: WebSocket) {
        let (mut sink, mut stream) = socket.split();
        if self.server.is_suspended() {
            self.viewer.close(Close::SUSPENDED);
        } else if self.node.registry.get(self.server.uuid()).is_none() {
            self.viewer.close(Close::DELETED);
        }
        let close = self.serve(&mut sink, &mut stream).await;
        if let Some(Close { code, reason }) = close {
            let frame = Message::Close(Some(CloseFrame {
                code,
                reason: reason.into(),
            }));
            // The client may be gone; it gets a moment to answer, so that it sees the code.
            let patience = self.node.config.sockets.send_deadline;
            let _ = timeout(patience, async {
                if sink.send(frame).await.is_ok() {
                    while let Some(Ok(_)) = stream.next().await {}
                }
            })
            .await;
        }
    }

    /// Returns why the socket has to be closed; nothing when it is closed already.
    async fn serve(
        &mut self,
        sink: &mut SplitSink<WebSocket, Message>,
        stream: &mut SplitStream<WebSocket>,
    ) -> Option<Close> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        let deadline = self.opened + self.node.config.sockets.auth_deadline;
        loop {
            tokio::select! {
                message = stream.next() => match message {
                    Some(Ok(Message::Text(text))) => self.receive(&text).await,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => {}
                },
                next = self.viewer.next() => match self.send(sink, next).await {
                    Sent::All => {}
                    Sent::Close(close) => return Some(close),
                    Sent::Broken => return None,
                },
                _ = ticks.tick() => self.look_at_age(),
                // The sender lives as long as the node.
                Ok(()) = self.changes.changed() => self.look_again(),
                () = sleep_until(deadline), if self.token.is_none() => return Some(Close::UNAUTHENTICATED),
            }
        }
    }

    /// Writes what waits, as far as the token allows it. A client that does not read is dropped.
    async fn send(&mut self, sink: &mut SplitSink<WebSocket, Message>, first: Next) -> Sent {
        let mut messages = Vec::new();
        let mut close = None;
        let mut next = Some(first);
        while let Some(present) = next {
            match present {
                Next::Close(reason) => {
                    close = Some(reason);
                    break;
                }
                Next::Send(frame) => {
                    messages.extend(self.guard(frame).map(|frame| Message::Text(frame.text)));
                }
            }
            next = if messages.len() < BATCH {
                self.viewer.try_next()
            } else {
                None
            };
        }
        let write = async {
            for message in messages {
                sink.feed(message).await?;
            }
            sink.flush().await
        };
        match timeout(self.node.config.sockets.send_deadline, write).await {
            Ok(Ok(())) => close.map_or(Sent::All, Sent::Close),
            Ok(Err(_)) | Err(_) => Sent::Broken,
        }
    }

    /// Lets an event pass to those who may see it, while their token is good. The first one that
    /// may not pass any more becomes a `jwt error`.
    fn guard(&mut self, frame: Frame) -> Option<Frame> {
        if frame.audience == Audience::This {
            return Some(frame);
        }
        match self.check() {
            Ok(claims) => match frame.audience {
                Audience::Install if !allows(claims, SEE_INSTALL) => None,
                Audience::Backup if !allows(claims, Permission::BackupRead.key()) => None,
                _ => Some(frame),
            },
            Err(_) if self.told => None,
            Err(unfit) => {
                self.told = true;
                Some(Frame::reply(outbound::JWT_ERROR, &[&unfit.to_string()]))
            }
        }
    }

    async fn receive(&mut self, text: &str) {
        let now = Instant::now();
        let pass = self.buckets.any(now);
        if !self.may_pass(pass) {
            return;
        }
        let Some(message) = Inbound::parse(text) else {
            return;
        };
        let Some(pass) = self.buckets.event(&message.event, now) else {
            return;
        };
        if !self.may_pass(pass) {
            return;
        }
        if message.event == inbound::AUTH {
            return self.authenticate(&message.args);
        }
        if let Err(unfit) = self.check() {
            return self.reply(outbound::JWT_ERROR, &[&unfit.to_string()]);
        }
        match message.event.as_str() {
            inbound::SET_STATE => self.set_state(&message.args).await,
            inbound::SEND_COMMAND => self.send_command(message.args).await,
            inbound::SEND_LOGS => self.send_logs(),
            _ => self.send_stats(),
        }
    }

    fn may_pass(&self, pass: Pass) -> bool {
        if let Pass::Tell(name) = pass {
            self.reply(outbound::THROTTLED, &[name]);
        }
        pass == Pass::Yes
    }

    /// Reads a token and makes it the socket's. On success a client on its first token also gets
    /// the state; on a refresh it must not get anything twice (client-quirks.md 19).
    fn authenticate(&mut self, token: &str) {
        let claims = match self.read(token) {
            Ok(claims) => claims,
            Err(Failure::Unfit(unfit)) => {
                return self.reply(
                    outbound::JWT_ERROR,
                    &[&self.error_event(&unfit.to_string())],
                );
            }
            Err(Failure::Other(error)) => return self.daemon_error(&error.to_string()),
        };
        if !self.seat.claim(claims.user_uuid) {
            return self.viewer.close(Close::TOO_MANY);
        }
        let user = claims.user_uuid;
        let is_first = self.token.replace(claims).is_none();
        self.told = false;
        self.expired = false;
        self.reply(outbound::AUTH_SUCCESS, &[]);
        self.viewer.admit(user);
        if is_first {
            let power = self.server.power_state();
            self.viewer
                .send(Frame::event(outbound::STATUS, &[power.as_str()]));
            if power == PowerState::Offline && !self.server.is_installing() {
                self.send_stats();
            }
        }
    }

    fn read(&self, token: &str) -> Result<Claims<Websocket>, Failure> {
        let claims = match self.node.tokens.read::<Websocket>(token) {
            Ok(claims) => claims,
            Err(TokenError::Invalid(JwtError::Expired)) => {
                return Err(Failure::Unfit(Unfit::Expired));
            }
            // What the reference answers to a token for something else (node-protocol.md §3.8).
            Err(TokenError::Invalid(JwtError::Purpose)) => {
                return Err(Failure::Unfit(Unfit::Connect));
            }
            Err(other) => return Err(Failure::Other(other)),
        };
        self.fits(&claims).map_err(Failure::Unfit)?;
        Ok(claims)
    }

    /// The token, if it is still good.
    fn check(&self) -> Result<&Claims<Websocket>, Unfit> {
        let claims = self.token.as_ref().ok_or(Unfit::Missing)?;
        self.fits(claims)?;
        Ok(claims)
    }

    fn fits(&self, claims: &Claims<Websocket>) -> Result<(), Unfit> {
        if self.node.clock.now().seconds() > claims.exp {
            Err(Unfit::Expired)
        } else if self.node.tokens.is_denied(claims) {
            Err(Unfit::Denied)
        } else if !allows(claims, Permission::WebsocketConnect.key()) {
            Err(Unfit::Connect)
        } else if claims.purpose.server_uuid != self.server.uuid() {
            Err(Unfit::Server)
        } else {
            Ok(())
        }
    }

    fn may(&self, permission: Permission) -> bool {
        self.token
            .as_ref()
            .is_some_and(|claims| allows(claims, permission.key()))
    }

    async fn set_state(&self, action: &str) {
        let Ok(signal) = action.parse::<PowerSignal>() else {
            return self
                .daemon_error("the power action is not one of start, stop, restart and kill");
        };
        if !self.may(signal.permission()) {
            return;
        }
        match self.server.power(signal, Duration::ZERO).await {
            Ok(()) => self.record(&format!("server:power.{signal}"), Map::new()),
            // This one is for everybody's eyes (node-protocol.md §4.2).
            Err(ServerError::Refused(Refusal::Locked)) => {
                self.reply(
                    outbound::DAEMON_ERROR,
                    &[&self.error_event(&Refusal::Locked.to_string())],
                );
            }
            Err(error) => self.daemon_error(&error.to_string()),
        }
    }

    async fn send_command(&self, command: String) {
        if !self.may(Permission::ControlConsole) {
            return;
        }
        match self.server.type_lines(vec![command.clone()]).await {
            Ok(()) => {
                let metadata = Map::from_iter([("command".to_owned(), command.into())]);
                self.record("server:console.command", metadata);
            }
            Err(ServerError::NotRunning) => {}
            Err(error) => self.daemon_error(&error.to_string()),
        }
    }

    /// Replays the console of a running server.
    fn send_logs(&self) {
        if self.server.power_state() == PowerState::Offline {
            return;
        }
        for line in self.server.console.lock().last(MAX_LINES) {
            self.viewer.send(Frame::console(&line));
        }
    }

    fn send_stats(&self) {
        let stats = serde_json::to_string(&self.server.utilization()).unwrap_or_default();
        self.viewer.send(Frame::event(outbound::STATS, &[&stats]));
    }

    /// Tells the client that its token ends soon, or has ended.
    fn look_at_age(&mut self) {
        let Some(claims) = &self.token else { return };
        let left = claims.exp - self.node.clock.now().seconds();
        if left <= 0 {
            if !std::mem::replace(&mut self.expired, true) {
                self.reply(outbound::TOKEN_EXPIRED, &[]);
            }
        } else if left <= EXPIRING {
            self.reply(outbound::TOKEN_EXPIRING, &[]);
        }
    }

    /// Tells the client at once when its token was revoked.
    fn look_again(&mut self) {
        if self.token.is_some()
            && !self.told
            && let Err(unfit) = self.check()
        {
            self.reply(outbound::JWT_ERROR, &[&unfit.to_string()]);
            self.told = true;
        }
    }

    fn record(&self, event: &str, metadata: Map<String, serde_json::Value>) {
        let user = self.token.as_ref().map(|claims| claims.user_uuid);
        let now = self.node.clock.now();
        self.node
            .activity
            .record(self.server.uuid(), user, self.address, event, metadata, now);
    }

    /// Sends something to this client whatever its token says.
    fn reply(&self, event: &str, args: &[&str]) {
        self.viewer.send(Frame::reply(event, args));
    }

    fn daemon_error(&self, cause: &str) {
        let may_see = self
            .token
            .as_ref()
            .is_some_and(|claims| allows(claims, SEE_ERRORS));
        let text = self.error_event(if may_see { cause } else { GENERIC });
        tracing::info!(server = %self.server.uuid(), cause, text, "a message on a WebSocket failed");
        self.reply(outbound::DAEMON_ERROR, &[&text]);
    }

    /// A text with an id by which it is found in the log.
    fn error_event(&self, text: &str) -> String {
        format!("Error Event [{}]: {text}", self.node.entropy.uuid())
    }
}

enum Sent {
    All,
    Close(Close),
    Broken,
}

enum Failure {
    Unfit(Unfit),
    Other(TokenError),
}

/// Whether a token's list allows something: by its name, or by `*`, which covers nothing of an
/// administrator's (node-protocol.md §4.3).
fn allows(claims: &Claims<Websocket>, permission: &str) -> bool {
    let named = |wanted| claims.purpose.permissions.iter().any(|held| held == wanted);
    named(permission) || (!permission.starts_with("admin") && named("*"))
}
