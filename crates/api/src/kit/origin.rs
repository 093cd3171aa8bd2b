//! Where a request came from and where it thinks it went, with trusted proxies taken into account.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use hatchery_app::{Cx, TrustedProxies};
use http::request::Parts;
use http::{HeaderMap, header};

/// The client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The address of whoever opened the connection, or what trusted proxies say of theirs: the
    /// last address in `X-Forwarded-For` that is not itself a trusted proxy.
    pub fn of(parts: &Parts, proxies: &TrustedProxies) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // A request without a connection was made inside this process.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| {
            peer.0.ip().to_canonical()
        });
        if !proxies.trusts(peer) {
            return Self(peer);
        }
        let forwarded = parts.headers.get_all("x-forwarded-for").into_iter();
        let hops = forwarded
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        let mut hops: Vec<&str> = hops.map(str::trim).collect();
        let mut client = peer;
        while let Some(hop) = hops.pop() {
            let Ok(address) = hop.parse::<IpAddr>() else {
                break;
            };
            client = address.to_canonical();
            if !proxies.trusts(client) {
                break;
            }
        }
        Self(client)
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress
where
    Cx: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let cx = Cx::from_ref(state);
        Ok(Self::of(parts, &cx.settings().trusted_proxies))
    }
}

/// The address under which the client reached this route: scheme, host and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    origin: String,
    path: String,
}

impl Here {
    /// Scheme and host, `https://panel.example.com`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where to send the client for sockets and links of the embedded node: the configured address
    /// of the panel, else the one that the client used.
    pub fn panel<'a>(&'a self, cx: &'a Cx) -> &'a str {
        cx.settings().app_url.as_deref().unwrap_or(&self.origin)
    }

    /// The whole address without a query.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }
}

impl<S: Sync> FromRequestParts<S> for Here
where
    Cx: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let cx = Cx::from_ref(state);
        let settings = cx.settings();
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|peer| peer.0.ip());
        let behind_proxy = peer.is_some_and(|peer| settings.trusted_proxies.trusts(peer));
        let forwarded = |name: &str| behind_proxy.then(|| first(&parts.headers, name)).flatten();
        let configured = settings.app_url.as_deref();
        let https = configured.is_some_and(|url| url.starts_with("https://"))
            || forwarded("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
        let host = forwarded("x-forwarded-host")
            .or_else(|| first(&parts.headers, header::HOST.as_str()))
            .or_else(|| parts.uri.authority().map(ToString::to_string))
            .filter(|host| is_host(host));
        let scheme = if https { "https" } else { "http" };
        let origin = match host {
            Some(host) => format!("{scheme}://{host}"),
            None => configured.unwrap_or("http://localhost").to_owned(),
        };
        Ok(Self {
            origin,
            path: parts.uri.path().to_owned(),
        })
    }
}

fn first(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.split(',').next().unwrap_or(value).trim().to_owned())
}

/// Whether a text can only be a host with or without a port, so that it is safe inside an address.
fn is_host(text: &str) -> bool {
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
    };
    !text.is_empty() && text.bytes().all(plain)
}
