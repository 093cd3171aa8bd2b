//! Requests from the node to the world.
//!
//! What somebody else names is fetched only from public addresses: the connection goes to the very
//! address that was judged, so that a name cannot mean something else a moment later. Redirects are
//! not followed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, Uri, header, uri::InvalidUri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the head of an answer may take. The panel waits for it, fifteen seconds at most.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection is kept open without being used.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why nothing was fetched or sent. No text names an address: addresses may carry signatures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// It is no address.
    #[error("it is no address of the web")]
    Address,
    /// It leads into a network that is nobody else's business.
    #[error("it leads into a private network")]
    Private,
    /// No answer came.
    #[error("the other side could not be reached: {0}")]
    Unreachable(String),
    /// No answer came in time.
    #[error("the other side did not answer in time")]
    TimedOut,
}

impl OutboundError {
    /// Whether the same may go well next time.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut)
    }
}

impl From<InvalidUri> for OutboundError {
    fn from(_: InvalidUri) -> Self {
        Self::Address
    }
}

/// The way out of the node.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    anywhere: Client<HttpsConnector<HttpConnector>, Body>,
    public: Client<HttpsConnector<HttpConnector<PublicOnly>>, Body>,
}

impl Outbound {
    pub(crate) fn new() -> Self {
        Self {
            anywhere: client(HttpConnector::new()),
            public: client(HttpConnector::new_with_resolver(PublicOnly(
                GaiResolver::new(),
            ))),
        }
    }

    /// Begins to fetch what an address of somebody else's names. `trusted` hosts may be in a private
    /// network.
    pub(crate) async fn get(
        &self,
        address: &str,
        trusted: &[String],
    ) -> Result<Response<Body>, OutboundError> {
        let uri: Uri = address.parse()?;
        let host = uri.host().ok_or(OutboundError::Address)?;
        let request = request(Method::GET, uri.clone(), Body::empty())?;
        if trusted.iter().any(|trusted| trusted == host) {
            return within(HEAD_TIMEOUT, self.anywhere.request(request)).await;
        }
        // The connector asks the resolver only about names.
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        if literal.parse::<IpAddr>().is_ok_and(|ip| !is_public(ip)) {
            return Err(OutboundError::Private);
        }
        within(HEAD_TIMEOUT, self.public.request(request)).await
    }

    /// Puts so many bytes where the panel said that they go.
    pub(crate) async fn put(
        &self,
        address: &str,
        content_type: &'static str,
        length: u64,
        body: Body,
        limit: Duration,
    ) -> Result<Response<Body>, OutboundError> {
        let mut request = request(Method::PUT, address.parse()?, body)?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        within(limit, self.anywhere.request(request)).await
    }
}

fn request(method: Method, uri: Uri, body: Body) -> Result<Request<Body>, OutboundError> {
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(OutboundError::Address);
    }
    Request::builder()
        .method(method)
        .uri(uri)
        // Some, such as the API of GitHub, refuse who does not introduce itself.
        .header(header::USER_AGENT, "Hatchery")
        .body(body)
        .map_err(|_| OutboundError::Address)
}

async fn within(
    limit: Duration,
    answer: hyper_util::client::legacy::ResponseFuture,
) -> Result<Response<Body>, OutboundError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(answer)) => Ok(answer.map(Body::new)),
        Ok(Err(error)) => Err(OutboundError::Unreachable(causes(&error))),
        Err(_) => Err(OutboundError::TimedOut),
    }
}

fn client<R>(mut tcp: HttpConnector<R>) -> Client<HttpsConnector<HttpConnector<R>>, Body>
where
    HttpsConnector<HttpConnector<R>>: hyper_util::client::legacy::connect::Connect + Clone,
{
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_nodelay(true);
    // The connector above it decides by the scheme.
    tcp.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build(connector)
}

/// What went wrong with all its reasons.
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

/// Resolves names to public addresses alone.
#[derive(Clone, Debug)]
struct PublicOnly(GaiResolver);

impl Service<Name> for PublicOnly {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolved = self.0.call(name);
        Box::pin(async move {
            let public: Vec<_> = resolved
                .await?
                .filter(|address| is_public(address.ip()))
                .collect();
            if public.is_empty() {
                return Err(std::io::Error::other("it leads into a private network"));
            }
            Ok(public.into_iter())
        })
    }
}

/// Whether an address belongs to the public internet.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [first, second, third, _] = ip.octets();
    let special = matches!(
        (first, second, third),
        // This network, carrier-grade NAT, protocol assignments, benchmarks, reserved.
        (0 | 240..=255, _, _) | (100, 64..=127, _) | (192, 0, 0) | (198, 18..=19, _)
    );
    !(special
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let last = |ip: Ipv6Addr| {
        let [.., a, b, c, d] = ip.octets();
        Ipv4Addr::new(a, b, c, d)
    };
    match (first, second) {
        // Addresses that mean one of version four: mapped and compatible, translated, 6to4.
        (0, 0) | (0x64, 0xff9b) => {
            !ip.is_loopback() && !ip.is_unspecified() && is_public_v4(last(ip))
        }
        (0x2002, _) => {
            let [_, _, a, b, c, d, ..] = ip.octets();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Teredo hides one too; documentation.
        (0x2001, 0 | 0xdb8) => false,
        // Only this block is given out.
        _ => (first & 0xe000) == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for (ip, public) in [
            ("1.1.1.1", true),
            ("93.184.216.34", true),
            ("100.63.255.255", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("192.0.0.8", false),
            ("198.18.0.1", false),
            ("198.20.0.1", true),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700:4700::1111", true),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:1.1.1.1", true),
            ("::10.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("64:ff9b::101:101", true),
            ("2002:7f00:1::", false),
            ("2001:0:7f00:1::", false),
            ("2001:db8::1", false),
            ("fc00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
        }
    }

    #[tokio::test]
    async fn private_networks_are_not_fetched_from() {
        let outbound = Outbound::new();
        for (address, private) in [
            ("http://127.0.0.1:1/x", true),
            ("http://[::1]:1/x", true),
            ("http://[::ffff:10.0.0.1]/x", true),
            ("ftp://1.1.1.1/x", false),
            ("nonsense", false),
        ] {
            match outbound.get(address, &[]).await {
                Err(OutboundError::Private) => assert!(private, "{address}"),
                Err(OutboundError::Address) => assert!(!private, "{address}"),
                other => panic!("{address}: {other:?}"),
            }
        }
        let named = outbound.get("http://localhost:1/x", &[]).await.unwrap_err();
        assert!(named.to_string().contains("private network"), "{named}");
        let trusted = ["127.0.0.1".to_owned()];
        let refused = outbound
            .get("http://127.0.0.1:1/x", &trusted)
            .await
            .unwrap_err();
        assert!(refused.may_pass(), "{refused}");
    }
}
