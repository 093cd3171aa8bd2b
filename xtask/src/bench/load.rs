//! A bounded load from this machine to itself: so many connections, so many requests, every answer
//! read and timed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How many connections call at the same time.
pub(super) const CONNECTIONS: usize = 16;

/// How many requests one measurement makes, over all connections.
const REQUESTS: usize = 16_000;

/// How many requests a warm-up makes.
const WARM_UP: usize = 2_000;

/// How long one call may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// How many ticks of processor time the kernel counts in a second, on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

/// One request, to be made often.
pub(super) struct Load {
    address: SocketAddr,
    request: Vec<u8>,
    process: u32,
}

/// The outcome of one measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    /// Processor time of the server per request.
    pub(super) cpu: Duration,
}

impl Load {
    /// A read.
    pub(super) fn get(address: SocketAddr, path: &str, key: Option<&str>, process: u32) -> Load {
        Load {
            address,
            request: request("GET", path, address, key, ""),
            process,
        }
    }

    /// A write with a JSON body.
    pub(super) fn post(
        address: SocketAddr,
        path: &str,
        key: Option<&str>,
        body: &str,
        process: u32,
    ) -> Load {
        Load {
            address,
            request: request("POST", path, address, key, body),
            process,
        }
    }

    /// Fills caches.
    pub(super) fn warm_up(&self) -> Result<()> {
        self.call(WARM_UP).map(drop)
    }

    /// Measures.
    pub(super) fn run(&self) -> Result<Measured> {
        let cpu_before = processor_time(self.process)?;
        let start = Instant::now();
        let mut times = self.call(REQUESTS)?;
        let took = start.elapsed();
        let cpu = processor_time(self.process)?.saturating_sub(cpu_before);
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        Ok(Measured {
            per_second: times.len() as f64 / took.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            cpu: cpu.div_f64(times.len() as f64),
        })
    }

    fn call(&self, requests: usize) -> Result<Vec<Duration>> {
        std::thread::scope(|scope| {
            let callers: Vec<_> = (0..CONNECTIONS)
                .map(|_| scope.spawn(|| self.call_on_one_connection(requests / CONNECTIONS)))
                .collect();
            let mut times = Vec::with_capacity(requests);
            for caller in callers {
                let Ok(measured) = caller.join() else {
                    bail!("a caller panicked")
                };
                times.extend(measured?);
            }
            Ok(times)
        })
    }

    fn call_on_one_connection(&self, requests: usize) -> Result<Vec<Duration>> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut buffer = vec![0; MAX_ANSWER];
        (0..requests)
            .map(|_| {
                let start = Instant::now();
                stream.write_all(&self.request)?;
                read_answer(&mut stream, &mut buffer)?;
                Ok(start.elapsed())
            })
            .collect()
    }
}

fn request(
    method: &str,
    path: &str,
    address: SocketAddr,
    key: Option<&str>,
    body: &str,
) -> Vec<u8> {
    let authorization = key.map(|key| format!("Authorization: Bearer {key}\r\n"));
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{body}",
        body.len(),
        authorization.unwrap_or_default(),
    )
    .into_bytes()
}

/// Reads one answer whole, and no byte of the next. Both servers send a length.
fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    let (head, status) = loop {
        let more = stream.read(&mut buffer[filled..])?;
        ensure!(more > 0, "the server closed the connection");
        filled += more;
        if let Some(end) = buffer[..filled]
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
        {
            let head = std::str::from_utf8(&buffer[..end])?;
            let status = head.split(' ').nth(1).context("no status")?;
            break (end + 4, status.to_owned());
        }
    };
    ensure!(status.starts_with('2'), "status {status} under load");
    let text = std::str::from_utf8(&buffer[..head])?.to_ascii_lowercase();
    let length: usize = match text.split("content-length:").nth(1) {
        Some(rest) => rest
            .split("\r\n")
            .next()
            .unwrap_or_default()
            .trim()
            .parse()?,
        None if status == "204" => 0,
        None => bail!("an answer without a length"),
    };
    let mut missing = (head + length)
        .checked_sub(filled)
        .context("two answers at once")?;
    while missing > 0 {
        let limit = missing.min(buffer.len());
        let more = stream.read(&mut buffer[..limit])?;
        ensure!(more > 0, "the answer broke off");
        missing -= more;
    }
    Ok(())
}

/// Processor time of a process so far, in user mode and in the kernel.
fn processor_time(process: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; fields are counted from behind it.
    let (_, fields) = stat.rsplit_once(") ").context("an unreadable stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<u64>().ok())
    };
    let (user, system) = (
        ticks(11).context("no utime")?,
        ticks(12).context("no stime")?,
    );
    Ok(Duration::from_secs_f64(
        (user + system) as f64 / TICKS_PER_SECOND,
    ))
}
