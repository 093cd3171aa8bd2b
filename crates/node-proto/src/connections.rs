//! The way to a node on another machine: its protocol over HTTP or HTTPS.
//!
//! It knows how to connect, and no word of what is said over the connection.

use std::time::Duration;

use axum_core::body::Body;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use crate::{CONNECT_TIMEOUT, NodeIoError, NodeService};

/// How many connections to one node are kept open without being used.
const MAX_IDLE: usize = 8;

/// How long a connection is kept open without being used. Shorter than the minute after which
/// proxies commonly close it from their side.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections to nodes on other machines. Clones share them.
///
/// Certificates of `https` nodes are checked against the roots that browsers trust. Redirects are
/// not followed: the request carries the node's secret.
#[derive(Clone, Debug)]
pub struct NodeConnections(Client<HttpsConnector<HttpConnector>, Body>);

impl Default for NodeConnections {
    fn default() -> Self {
        Self::new()
    }
}

impl NodeConnections {
    /// Without an open connection.
    pub fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        // The connector above it decides by the scheme.
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE)
            .build(connector);
        Self(client)
    }

    /// The service of the node at `address`: scheme, host and port, such as
    /// `https://node1.example.com:8080`. With an address that is none, every call fails and says so.
    ///
    /// The service waits at most [`CONNECT_TIMEOUT`] for a connection and as long as it takes for
    /// an answer; [`crate::NodeClient`] bounds the whole call.
    pub fn service(&self, address: &str) -> NodeService {
        let client = self.0.clone();
        let origin = Origin::parse(address);
        BoxCloneSyncService::new(service_fn(move |request: Request<Body>| {
            let (client, origin) = (client.clone(), origin.clone());
            async move { call(&client, origin?, request).await }
        }))
    }
}

async fn call(
    client: &Client<HttpsConnector<HttpConnector>, Body>,
    origin: Origin,
    mut request: Request<Body>,
) -> Result<Response<Body>, NodeIoError> {
    *request.uri_mut() = origin.of(request.uri())?;
    match client.request(request).await {
        Ok(answer) => Ok(answer.map(Body::new)),
        Err(error) => Err(NodeIoError::Unreachable(causes(&error))),
    }
}

/// Scheme, host and port of a node.
#[derive(Clone, Debug)]
struct Origin {
    scheme: Scheme,
    authority: Authority,
}

impl Origin {
    fn parse(address: &str) -> Result<Self, NodeIoError> {
        let parts = address.parse::<Uri>().map(Uri::into_parts).ok();
        let Some(Parts {
            scheme: Some(scheme),
            authority: Some(authority),
            ..
        }) = parts
        else {
            return Err(NodeIoError::Unreachable(format!(
                "{address} is no address of a node; one looks like https://node.example.com:8080"
            )));
        };
        Ok(Self { scheme, authority })
    }

    /// The address of a request that has only a path.
    fn of(self, target: &Uri) -> Result<Uri, NodeIoError> {
        let path = target
            .path_and_query()
            .cloned()
            .unwrap_or_else(|| PathAndQuery::from_static("/"));
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme);
        parts.authority = Some(self.authority);
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).map_err(|error| {
            NodeIoError::Unreachable(format!("{target} is not a valid address: {error}"))
        })
    }
}

/// What went wrong with all its reasons: the outermost one says little more than that it did.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::StatusCode;
    use http_body_util::BodyExt as _;
    use hyper::body::Incoming;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;

    use super::*;
    use crate::{NodeClient, NodeError, NodeToken};

    fn node(address: &str) -> NodeClient {
        let service = NodeConnections::new().service(address);
        NodeClient::new(service, NodeToken::new("secret")).unwrap()
    }

    fn server() -> hatchery_vocab::ServerUuid {
        "f3f95466-7e8b-42a4-8504-6e7055874e39".parse().unwrap()
    }

    /// A node that tells what it was asked as its refusal.
    async fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = hyper::service::service_fn(repeat);
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        address
    }

    async fn repeat(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let asked = format!(
            "{} {} {} {} {}",
            parts.method,
            parts.uri,
            parts.headers["host"].to_str().unwrap(),
            parts.headers["authorization"].to_str().unwrap(),
            String::from_utf8_lossy(&body),
        );
        let answer = serde_json::json!({ "error": asked }).to_string();
        Ok(Response::builder().status(418).body(answer.into()).unwrap())
    }

    #[tokio::test]
    async fn a_node_elsewhere_is_asked_as_one_in_the_same_process_is() {
        let address = echo().await;
        let host = address.strip_prefix("http://").unwrap();
        let node = node(&address);
        // Twice: the second call uses the connection of the first.
        for command in ["say 1", "say 2"] {
            let refused = node.commands(server(), vec![command.to_owned()]).await;
            let expected = NodeError::Refused {
                status: StatusCode::IM_A_TEAPOT,
                error: Some(format!(
                    "POST /api/servers/{}/commands {host} Bearer secret {{\"commands\":[\"{command}\"]}}",
                    server()
                )),
                request_id: None,
            };
            assert_eq!(refused, Err(expected));
        }
    }

    #[tokio::test]
    async fn a_node_that_is_not_there_is_told_as_such() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gone = listener.local_addr().unwrap();
        drop(listener);
        for (address, reason) in [
            (format!("http://{gone}"), "refused"),
            (format!("https://{gone}"), "refused"),
            (
                "node.example.com".to_owned(),
                "node.example.com is no address",
            ),
            ("ftp://node.example.com:21".to_owned(), "scheme"),
            (String::new(), "is no address"),
        ] {
            let Err(NodeError::Io(NodeIoError::Unreachable(text))) = node(&address).system().await
            else {
                panic!("{address} was reached");
            };
            assert!(text.to_lowercase().contains(reason), "{address}: {text}");
        }
    }

    #[tokio::test]
    async fn a_node_without_a_certificate_is_refused() {
        let address = echo().await.replacen("http", "https", 1);
        assert!(matches!(
            node(&address).system().await,
            Err(NodeError::Io(NodeIoError::Unreachable(_)))
        ));
    }
}
