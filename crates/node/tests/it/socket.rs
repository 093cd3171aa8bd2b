//! A client of a server's WebSocket, over a real loopback connection.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::world::World;

/// How long anything may take before a test fails. Nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_mins(1);

/// The node's public routes on a free port.
pub(crate) async fn listen(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world
        .node
        .public_router()
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// An open WebSocket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens the server's socket, or returns the status of the refusal.
    pub(crate) async fn open(
        address: SocketAddr,
        world: &World,
        origin: Option<&str>,
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/api/servers/{}/ws", world.server)
            .into_client_request()
            .unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Opens the server's socket and shows a token with these permissions.
    pub(crate) async fn enter(
        address: SocketAddr,
        world: &World,
        user: char,
        permissions: &[&str],
    ) -> Self {
        let mut socket = Self::open(address, world, None).await.unwrap();
        socket
            .send("auth", &[&world.ticket(user, permissions)])
            .await;
        assert_eq!(socket.next().await, json!({"event": "auth success"}));
        assert_eq!(socket.next().await["event"], "status");
        socket
    }

    pub(crate) async fn send(&mut self, event: &str, args: &[&str]) {
        self.send_text(&json!({"event": event, "args": args}).to_string())
            .await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        // The other side may have closed the socket, which the next read shows.
        let _ = self.0.send(Message::text(text)).await;
    }

    /// The next message, which must be text.
    pub(crate) async fn next(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("not an event: {other:?}"),
        }
    }

    /// The first argument of the next event of this name; others are skipped.
    pub(crate) async fn until(&mut self, event: &str) -> String {
        loop {
            let next = self.next().await;
            if next["event"] == event {
                return next["args"][0].as_str().unwrap_or_default().to_owned();
            }
        }
    }

    /// The code and reason with which the other side closes; events before are skipped.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.message().await {
                return frame
                    .map(|frame| (frame.code.into(), frame.reason.to_string()))
                    .unwrap_or_default();
            }
        }
    }

    /// Waits until the connection ends, in whatever way.
    pub(crate) async fn gone(&mut self) {
        let end = async { while let Some(Ok(_)) = self.0.next().await {} };
        tokio::time::timeout(PATIENCE, end).await.unwrap();
    }

    /// Sends something harmless and returns every event that came before its answer.
    pub(crate) async fn events_so_far(&mut self) -> Vec<Value> {
        self.send("send stats", &[]).await;
        let mut events = Vec::new();
        loop {
            let next = self.next().await;
            if next["event"] == "stats" {
                return events;
            }
            events.push(next);
        }
    }

    async fn message(&mut self) -> Message {
        tokio::time::timeout(PATIENCE, self.0.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap()
    }
}
