//! One accepted connection: its place among the others, and what is asked of its client.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ipnet::IpNet;
use parking_lot::Mutex;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

use crate::listener::Limits;

/// How long a client may take nothing of what is sent to it.
const WRITE_PATIENCE: Duration = Duration::from_mins(1);
/// After how much silence the system asks whether the other side is still there, how often, and how
/// many times: a WebSocket whose client vanished is closed after two minutes.
const KEEPALIVE_AFTER: Duration = Duration::from_mins(1);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMES: u32 = 4;

/// The places for connections.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_address: usize,
    proxies: Vec<IpNet>,
}

impl Places {
    /// As many as the limits say, all free.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.connections)),
            taken: Arc::default(),
            per_address: limits.per_address,
            proxies: limits.proxies.clone(),
        }
    }

    /// Waits for a free place and then for a connection; nothing when its address has its share of
    /// places already.
    pub(crate) async fn accept(
        &self,
        listener: &TcpListener,
    ) -> io::Result<Option<(Stream, SocketAddr)>> {
        let place = Arc::clone(&self.all)
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        let Some(share) = self.share(peer.ip()) else {
            tracing::debug!(%peer, "closed: the address has too many connections");
            return Ok(None);
        };
        // Answers are small and somebody waits for them. Failure costs time and nothing else.
        let _ = stream.set_nodelay(true);
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE_AFTER)
            .with_interval(KEEPALIVE_EVERY)
            .with_retries(KEEPALIVE_TIMES);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
        Ok(Some((
            Stream {
                stream,
                stalled: None,
                _place: place,
                _share: share,
            },
            peer,
        )))
    }

    /// A place of those that one address may have.
    fn share(&self, address: IpAddr) -> Option<Share> {
        let address = address.to_canonical();
        if self.proxies.iter().any(|proxy| proxy.contains(&address)) {
            return Some(Share {
                address: None,
                taken: Arc::clone(&self.taken),
            });
        }
        let address = network(address);
        let mut taken = self.taken.lock();
        let count = taken.entry(address).or_default();
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Share {
            address: Some(address),
            taken: Arc::clone(&self.taken),
        })
    }
}

/// What counts as one client: an IPv4 address, or the network in which an IPv6 client chooses.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    const HOST_BITS: u32 = 64;
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << HOST_BITS)).into()),
    }
}

/// A place of an address, given back when the connection ends.
#[derive(Debug)]
struct Share {
    /// `None` where nobody counts.
    address: Option<IpAddr>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut taken = self.taken.lock();
        if let Some(count) = taken.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&address);
            }
        }
    }
}

/// A connection that holds its place for as long as it is open, as a WebSocket too, and that fails
/// when its client takes nothing of what is sent. It may be silent as long as it likes: how long a
/// request may take is for others to say.
#[derive(Debug)]
pub(crate) struct Stream {
    stream: TcpStream,
    /// Runs while something could not be sent.
    stalled: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
    _share: Share,
}

impl Stream {
    /// Watches over an attempt to send.
    fn watch<T>(&mut self, cx: &mut Context<'_>, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.stalled = None;
            return sent;
        }
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_PATIENCE)));
        stalled
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(cx, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            connections: 1,
            per_address: 1,
            proxies: Vec::new(),
            header_timeout: Duration::from_mins(1),
            body_timeout: Duration::from_mins(1),
            drain: Duration::ZERO,
        };
        let places = Places::new(&limits);
        let (client, accepted) =
            tokio::join!(TcpStream::connect(address), places.accept(&listener));
        let (_client, (mut stream, _)) = (client.unwrap(), accepted.unwrap().unwrap());
        let piece = vec![0; 64 * 1024];
        let error = loop {
            if let Err(error) = stream.write_all(&piece).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(stream);
        assert!(
            places.taken.lock().is_empty(),
            "its place was not given back"
        );
    }

    #[test]
    fn an_ipv6_client_counts_by_its_network() {
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(
            network(parse("2001:db8::1")),
            network(parse("2001:db8::ffff"))
        );
        assert_ne!(
            network(parse("2001:db8::1")),
            network(parse("2001:db8:0:1::1"))
        );
        assert_eq!(network(parse("::ffff:192.0.2.1")), parse("192.0.2.1"));
    }
}
