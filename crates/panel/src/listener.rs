//! The one listener: accepts connections, bounds them, and lets them end well.
//!
//! It knows no route. What a connection asks for goes to the service that it was given, with the
//! peer's address among the request's extensions.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tower_http::timeout::TimeoutBody;

use crate::connection::{Places, Stream};
use crate::supervise::Shutdown;

/// The most memory that one connection uses for the bytes it has not yet worked on. The head of a
/// request must fit.
const MAX_BUFFER: usize = 64 * 1024;
/// How long to wait when the system has no descriptor for one more connection.
const EXHAUSTED_WAIT: Duration = Duration::from_millis(100);
/// How many ports after the wanted one are tried.
const PORT_TRIES: u16 = 20;
/// The first port to try when the wanted one is reserved for the superuser.
const UNRESERVED: u16 = 8080;

/// Bounds of the listener.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Connections at once; others wait to be accepted.
    pub(crate) connections: usize,
    /// Connections of one address at once, an IPv6 network counting as one; others are closed.
    pub(crate) per_address: usize,
    /// Proxies: what they pass on comes from many clients, so their own number is not bounded.
    pub(crate) proxies: Vec<IpNet>,
    /// How long a client may take for the head of a request, silence between requests included.
    pub(crate) header_timeout: Duration,
    /// How long a client may pause within the body of its request.
    pub(crate) body_timeout: Duration,
    /// How long requests in flight may take once the program ends.
    pub(crate) drain: Duration,
}

/// Opens the wanted address, or the next free port when it is taken or reserved.
pub(crate) async fn bind(wanted: SocketAddr) -> io::Result<TcpListener> {
    let error = match TcpListener::bind(wanted).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    let first = match error.kind() {
        io::ErrorKind::AddrInUse => wanted.port().saturating_add(1),
        io::ErrorKind::PermissionDenied => UNRESERVED,
        _ => return Err(error),
    };
    for port in first..=first.saturating_add(PORT_TRIES) {
        if let Ok(listener) = TcpListener::bind(SocketAddr::new(wanted.ip(), port)).await {
            tracing::warn!(%wanted, used = port, %error, "the port cannot be used: using the next free one");
            return Ok(listener);
        }
    }
    Err(error)
}

/// Serves connections until the word to shut down. Then no more are accepted, idle ones are closed,
/// and requests in flight have some time to end.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Router,
    limits: Limits,
    shutdown: Shutdown,
) {
    let places = Places::new(&limits);
    let timeouts = Timeouts {
        head: limits.header_timeout,
        body: limits.body_timeout,
    };
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = places.accept(&listener) => accepted,
            () = shutdown.wait() => break,
        };
        match accepted {
            Ok(Some((stream, peer))) => {
                connections.spawn(serve_connection(
                    stream,
                    peer,
                    service.clone(),
                    timeouts,
                    shutdown.clone(),
                ));
            }
            // The address has its share already, and its connection is closed.
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections for a moment");
                tokio::time::sleep(EXHAUSTED_WAIT).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.drain, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            open = connections.len(),
            "requests did not end in time and are cut off"
        );
    }
}

#[derive(Clone, Copy)]
struct Timeouts {
    head: Duration,
    body: Duration,
}

async fn serve_connection(
    stream: Stream,
    peer: SocketAddr,
    service: Router,
    timeouts: Timeouts,
    shutdown: Shutdown,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(|body| {
            if body.is_end_stream() {
                Body::empty()
            } else {
                Body::new(TimeoutBody::new(timeouts.body, body))
            }
        });
        request.extensions_mut().insert(ConnectInfo(peer));
        let service = service.clone();
        async move {
            Ok::<_, Infallible>(
                service
                    .oneshot(request)
                    .await
                    .unwrap_or_else(|never| match never {}),
            )
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.head)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended badly");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    fn limits() -> Limits {
        Limits {
            connections: 2,
            per_address: 100,
            proxies: Vec::new(),
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }

    async fn start(
        limits: Limits,
        router: Router,
    ) -> (
        SocketAddr,
        tokio::sync::watch::Sender<bool>,
        tokio::task::JoinHandle<()>,
    ) {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (giver, shutdown) = Shutdown::new();
        (
            address,
            giver,
            tokio::spawn(serve(listener, router, limits, shutdown)),
        )
    }

    fn router() -> Router {
        Router::new().route(
            "/",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
        )
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_request_knows_its_peer_and_the_connection_lives_on() {
        let (address, giver, server) = start(limits(), router()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mine = stream.local_addr().unwrap().to_string();
        for _ in 0..2 {
            let answer = ask(&mut stream).await;
            assert!(
                answer.starts_with("HTTP/1.1 200") && answer.ends_with(&mine),
                "{answer}"
            );
        }
        giver.send(true).unwrap();
        server.await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn connections_beyond_the_limit_wait_for_a_place() {
        let (address, _giver, _server) = start(limits(), router()).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut first).await.contains("200"));
        assert!(ask(&mut second).await.contains("200"));
        let mut third = TcpStream::connect(address).await.unwrap();
        let waiting = tokio::spawn(async move { ask(&mut third).await });
        drop(first);
        assert!(waiting.await.unwrap().contains("200"));
    }

    #[tokio::test]
    async fn a_client_that_never_finishes_its_request_is_cut_off() {
        let limits = Limits {
            header_timeout: Duration::from_millis(20),
            ..limits()
        };
        let (address, _giver, _server) = start(limits, router()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(!String::from_utf8_lossy(&rest).contains("200"));
    }

    #[tokio::test]
    async fn a_request_in_flight_is_answered_before_the_end() {
        let (begun, mut has_begun) = tokio::sync::mpsc::channel(1);
        let (finish, finished) = tokio::sync::watch::channel(false);
        let slow = move || async move {
            begun.send(()).await.unwrap();
            let _ = finished.clone().wait_for(|finished| *finished).await;
            "late"
        };
        let (address, giver, server) = start(limits(), Router::new().route("/", get(slow))).await;
        let client =
            tokio::spawn(async move { ask(&mut TcpStream::connect(address).await.unwrap()).await });
        has_begun.recv().await.unwrap();
        giver.send(true).unwrap();
        finish.send(true).unwrap();
        assert!(client.await.unwrap().ends_with("late"));
        server.await.unwrap();
    }

    #[tokio::test]
    async fn one_address_cannot_hold_every_place() {
        let limits = Limits {
            per_address: 1,
            ..limits()
        };
        let (address, _giver, _server) = start(limits, router()).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut first).await.contains("200"));
        let mut second = TcpStream::connect(address).await.unwrap();
        assert_eq!(
            second.read(&mut [0; 1]).await.unwrap_or(0),
            0,
            "it was not closed"
        );
        assert!(ask(&mut first).await.contains("200"));
        drop((first, second));
        // The place comes back when the server has noticed.
        let served = async {
            loop {
                let mut again = TcpStream::connect(address).await.unwrap();
                if again
                    .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                    .await
                    .is_ok()
                    && again
                        .read(&mut [0; 64])
                        .await
                        .is_ok_and(|length| length > 0)
                {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), served)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn proxies_may_hold_as_many_places_as_there_are() {
        let limits = Limits {
            per_address: 1,
            proxies: vec!["127.0.0.0/8".parse().unwrap()],
            ..limits()
        };
        let (address, _giver, _server) = start(limits, router()).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut first).await.contains("200"));
        assert!(ask(&mut second).await.contains("200"));
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        let limits = Limits {
            body_timeout: Duration::from_millis(20),
            ..limits()
        };
        let read = post(|body: axum::body::Bytes| async move { body.len().to_string() });
        let (address, _giver, _server) = start(limits, Router::new().route("/", read)).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
            .await
            .unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }

    #[tokio::test]
    async fn a_taken_port_gives_the_next_free_one() {
        let taken = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let wanted = taken.local_addr().unwrap();
        let other = bind(wanted).await.unwrap().local_addr().unwrap();
        assert_eq!(other.ip(), wanted.ip());
        assert!(other.port() > wanted.port());
    }
}
