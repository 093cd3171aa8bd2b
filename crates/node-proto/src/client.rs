//! The panel's side of the protocol: one method per call to a node.

mod backups;
mod files;

use std::time::Duration;

use axum_core::body::Body;
use hatchery_vocab::{PowerSignal, ServerUuid, UserUuid};
use http::header::HeaderValue;
use http::{Method, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{
    Commands, CreateServer, DeauthorizeUser, DenyTokens, Logs, NodeError, NodeIoError, NodeService,
    NodeToken, Power, ServerDetails, ServerIdentity, SystemInformation, exchange,
};

pub use files::Contents;

/// How long a service that goes over the network may take to connect (client-api.md §1.17). The
/// service that dials applies it; a service in the same process has nothing to dial.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a node may take to answer, in the same process too.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);

/// The same for calls that move the contents of files: writing, packing and unpacking.
pub const LONG_TIMEOUT: Duration = Duration::from_mins(15);

const ACCEPT: &str = "application/json";

/// Speaks to one node. Clones share the connection.
#[derive(Clone)]
pub struct NodeClient {
    service: NodeService,
    token: NodeToken,
    bearer: HeaderValue,
}

impl std::fmt::Debug for NodeClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeClient(…)")
    }
}

impl NodeClient {
    /// A client that speaks through `service` and shows `token`.
    ///
    /// # Errors
    /// The token has characters that no header can carry.
    pub fn new(
        service: NodeService,
        token: NodeToken,
    ) -> Result<Self, http::header::InvalidHeaderValue> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
        bearer.set_sensitive(true);
        Ok(Self {
            service,
            token,
            bearer,
        })
    }

    /// The secret, which also signs tokens for browsers ([`crate::jwt`]).
    pub const fn token(&self) -> &NodeToken {
        &self.token
    }

    /// What kind of machine the node runs on.
    pub async fn system(&self) -> Result<SystemInformation, NodeError> {
        self.get("/api/system".to_owned()).await
    }

    /// What every server of the node does and uses.
    pub async fn servers(&self) -> Result<Vec<ServerDetails<ServerIdentity>>, NodeError> {
        self.get("/api/servers".to_owned()).await
    }

    /// What a server does and uses.
    pub async fn details(
        &self,
        server: ServerUuid,
    ) -> Result<ServerDetails<ServerIdentity>, NodeError> {
        self.get(format!("/api/servers/{server}")).await
    }

    /// Has the node fetch a new server from the panel and install it. The server's row must be
    /// committed: the node asks for it while this call runs.
    pub async fn create(
        &self,
        server: ServerUuid,
        start_on_completion: bool,
    ) -> Result<(), NodeError> {
        self.post(
            "/api/servers".to_owned(),
            &CreateServer {
                uuid: server,
                start_on_completion,
            },
        )
        .await
    }

    /// Ends a server and deletes its files.
    pub async fn delete(&self, server: ServerUuid) -> Result<(), NodeError> {
        self.call(
            Method::DELETE,
            format!("/api/servers/{server}"),
            Body::empty(),
            TOTAL_TIMEOUT,
        )
        .await
        .map(drop)
    }

    /// Starts, stops, restarts or kills a server; the node does it after it has answered.
    pub async fn power(&self, server: ServerUuid, signal: PowerSignal) -> Result<(), NodeError> {
        self.power_named(server, signal.as_str()).await
    }

    /// The same by the signal's name; one that the node does not know it refuses.
    pub async fn power_named(&self, server: ServerUuid, signal: &str) -> Result<(), NodeError> {
        let body = Power {
            action: signal.to_owned(),
            wait_seconds: None,
        };
        self.post(format!("/api/servers/{server}/power"), &body)
            .await
    }

    /// Types lines into a server's console. A server that does not run is refused with 502.
    pub async fn commands(
        &self,
        server: ServerUuid,
        commands: Vec<String>,
    ) -> Result<(), NodeError> {
        self.post(
            format!("/api/servers/{server}/commands"),
            &Commands { commands },
        )
        .await
    }

    /// The last lines of a server's console, at most 100.
    pub async fn logs(&self, server: ServerUuid, lines: u8) -> Result<Vec<String>, NodeError> {
        let logs: Logs = self
            .get(format!("/api/servers/{server}/logs?size={lines}"))
            .await?;
        Ok(logs.data.unwrap_or_default())
    }

    /// Installs a server.
    pub async fn install(&self, server: ServerUuid) -> Result<(), NodeError> {
        self.tell(format!("/api/servers/{server}/install")).await
    }

    /// Stops a server and installs it again over its files.
    pub async fn reinstall(&self, server: ServerUuid) -> Result<(), NodeError> {
        self.tell(format!("/api/servers/{server}/reinstall")).await
    }

    /// Has the node fetch a server's settings again and apply them.
    pub async fn sync(&self, server: ServerUuid) -> Result<(), NodeError> {
        self.tell(format!("/api/servers/{server}/sync")).await
    }

    /// Takes tokens of a server out of use by their ids.
    pub async fn ws_deny(&self, server: ServerUuid, jtis: Vec<String>) -> Result<(), NodeError> {
        self.post(
            format!("/api/servers/{server}/ws/deny"),
            &DenyTokens { jtis },
        )
        .await
    }

    /// Ends a user's sessions on these servers (on all when empty) and takes their tokens out of
    /// use.
    pub async fn deauthorize_user(
        &self,
        user: UserUuid,
        servers: Vec<ServerUuid>,
    ) -> Result<(), NodeError> {
        self.post(
            "/api/deauthorize-user".to_owned(),
            &DeauthorizeUser { user, servers },
        )
        .await
    }

    async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T, NodeError> {
        let answer = self
            .call(Method::GET, path, Body::empty(), TOTAL_TIMEOUT)
            .await?;
        exchange::decode(answer, TOTAL_TIMEOUT).await
    }

    async fn post<T: Serialize>(&self, path: String, body: &T) -> Result<(), NodeError> {
        self.call(Method::POST, path, exchange::json(body)?, TOTAL_TIMEOUT)
            .await
            .map(drop)
    }

    /// A `POST` without a body.
    async fn tell(&self, path: String) -> Result<(), NodeError> {
        self.call(Method::POST, path, Body::empty(), TOTAL_TIMEOUT)
            .await
            .map(drop)
    }

    /// Sends a request and waits for an answer below 400.
    async fn call(
        &self,
        method: Method,
        path: String,
        body: Body,
        limit: Duration,
    ) -> Result<Response<Body>, NodeError> {
        self.call_with(self.request(method, &path, body)?, limit)
            .await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Request<Body>, NodeIoError> {
        exchange::request(method, path, &self.bearer, ACCEPT, body)
    }

    async fn call_with(
        &self,
        request: Request<Body>,
        limit: Duration,
    ) -> Result<Response<Body>, NodeError> {
        exchange::accept(exchange::send(&self.service, request, limit).await?, limit).await
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use tower::service_fn;

    use super::*;
    use crate::late_service;

    fn server() -> ServerUuid {
        "f3f95466-7e8b-42a4-8504-6e7055874e39".parse().unwrap()
    }

    fn client(
        answer: impl Fn(Request<Body>) -> Result<Response<Body>, NodeIoError>
        + Send
        + Sync
        + Clone
        + 'static,
    ) -> NodeClient {
        let service = service_fn(move |request| std::future::ready(answer(request)));
        NodeClient::new(NodeService::new(service), NodeToken::new("secret")).unwrap()
    }

    #[tokio::test]
    async fn a_refusal_keeps_status_text_and_id() {
        let node = client(|request| {
            assert_eq!(request.headers()["authorization"], "Bearer secret");
            let answer = Response::builder()
                .status(502)
                .header("x-request-id", "abc");
            Ok(answer
                .body(Body::from(r#"{"error":"Cannot send commands."}"#))
                .unwrap())
        });
        let refused = NodeError::Refused {
            status: StatusCode::BAD_GATEWAY,
            error: Some("Cannot send commands.".to_owned()),
            request_id: Some("abc".to_owned()),
        };
        assert_eq!(node.commands(server(), vec![]).await, Err(refused));
    }

    #[tokio::test]
    async fn a_refusal_without_words_is_one_too() {
        let node = client(|_| {
            Ok(Response::builder()
                .status(500)
                .body(Body::from("<html>"))
                .unwrap())
        });
        let refused = node.details(server()).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the node answered 500 Internal Server Error: no reason given"
        );
        let node = client(|_| Ok(Response::new(Body::from("{}"))));
        assert!(matches!(
            node.details(server()).await,
            Err(NodeError::Malformed { .. })
        ));
    }

    #[tokio::test]
    async fn settings_of_other_daemons_are_not_read() {
        let known = server();
        let node = client(move |_| {
            let answer = format!(
                r#"{{"state":"running","is_suspended":false,"utilization":{{"uptime":1}},"configuration":{{"uuid":"{known}","build":"new"}}}}"#
            );
            Ok(Response::new(Body::from(answer)))
        });
        let details = node.details(known).await.unwrap();
        assert_eq!(details.utilization.uptime, 1);
        assert_eq!(details.configuration.unwrap().uuid, known);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_hangs_is_not_waited_for() {
        let service = NodeService::new(service_fn(|_| std::future::pending()));
        let node = NodeClient::new(service, NodeToken::new("secret")).unwrap();
        assert_eq!(node.sync(server()).await, Err(NodeIoError::TimedOut.into()));
    }

    #[tokio::test]
    async fn paths_are_escaped() {
        let node = client(|request| {
            let query = request.uri().query().unwrap().to_owned();
            Ok(Response::builder()
                .header("content-length", "4")
                .body(Body::from(query))
                .unwrap())
        });
        let contents = node.contents(server(), "/a b&c=d/ü?#%.txt").await.unwrap();
        let body = exchange::read(contents.body, TOTAL_TIMEOUT).await.unwrap();
        assert_eq!(body, "file=%2Fa%20b%26c%3Dd%2F%C3%BC%3F%23%25.txt");
    }

    #[tokio::test]
    async fn a_service_can_come_later() {
        let (late, service) = late_service();
        let node = NodeClient::new(service, NodeToken::new("secret")).unwrap();
        assert!(matches!(
            node.sync(server()).await,
            Err(NodeError::Io(NodeIoError::Unreachable(_)))
        ));
        late.bind(NodeService::new(service_fn(|_| {
            std::future::ready(Ok(Response::new(Body::empty())))
        })));
        assert_eq!(node.sync(server()).await, Ok(()));
    }
}
