//! A blocking HTTP/1.1 client for loopback: one connection per call, nothing cached, every byte
//! and header of the answer kept.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// How long a call may be silent.
const PATIENCE: Duration = Duration::from_mins(1);

/// Longest answer that is read.
const MAX_ANSWER: u64 = 256 * 1024 * 1024;

/// Calls one panel, with a key or without.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    key: Option<String>,
}

/// What a call was answered with.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers in order, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body, without transfer coding.
    pub body: Vec<u8>,
}

impl Client {
    /// A client of the panel at `address`.
    pub fn new(address: SocketAddr, key: Option<&str>) -> Client {
        Client {
            address,
            key: key.map(str::to_owned),
        }
    }

    /// `GET path`
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.call("GET", path, &[], b"")
    }

    /// `POST path` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        let headers = [("Content-Type", "application/json")];
        self.call("POST", path, &headers, body.to_string().as_bytes())
    }

    /// Any call. `Host`, `Accept`, `Authorization` and `Content-Length` are set.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\
             Accept: Application/vnd.pterodactyl.v1+json\r\n",
            self.address,
            body.len(),
        );
        if let Some(key) = &self.key {
            head.push_str("Authorization: Bearer ");
            head.push_str(key);
            head.push_str("\r\n");
        }
        for (name, value) in headers {
            for part in [*name, ": ", *value, "\r\n"] {
                head.push_str(part);
            }
        }
        head.push_str("\r\n");
        exchange(self.address, head.as_bytes(), body).with_context(|| format!("{method} {path}"))
    }
}

/// Sends a request whose head is written out, the empty line at its end included, and reads the
/// answer. The head asks for the connection to be closed.
pub fn exchange(address: SocketAddr, head: &[u8], body: &[u8]) -> Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(head)?;
    // A server that refuses an oversize body may answer before it has read all of it.
    let sent = stream.write_all(body);
    let mut bytes = Vec::new();
    let received = stream.take(MAX_ANSWER).read_to_end(&mut bytes);
    if bytes.is_empty() {
        sent.and(received.map(drop))?;
    }
    Answer::parse(&bytes)
}

impl Answer {
    /// The first header of that name (in small letters).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("not JSON ({}): {}", self.status, self.text()))
    }

    /// The body as JSON, if the status is `expected`.
    pub fn expect_json(&self, expected: u16) -> Result<Value> {
        ensure!(
            self.status == expected,
            "{} instead of {expected}: {}",
            self.status,
            self.text()
        );
        self.json()
    }

    /// This answer, if its status is `expected`.
    pub fn expect(self, expected: u16) -> Result<Answer> {
        ensure!(
            self.status == expected,
            "{} instead of {expected}: {}",
            self.status,
            self.text()
        );
        Ok(self)
    }

    fn parse(bytes: &[u8]) -> Result<Answer> {
        let end = find(bytes, b"\r\n\r\n").context("the answer has no end of headers")?;
        let head = std::str::from_utf8(&bytes[..end]).context("the headers are not text")?;
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .context("the answer has no status")?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let body = &bytes[end + 4..];
        answer.body = if answer.header("transfer-encoding") == Some("chunked") {
            unchunk(body)?
        } else {
            body.to_vec()
        };
        Ok(answer)
    }
}

fn unchunk(mut bytes: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(bytes, b"\r\n").context("a chunk without a size")?;
        let size = std::str::from_utf8(&bytes[..end])?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or(size).trim(), 16)?;
        bytes = &bytes[end + 2..];
        if size == 0 {
            return Ok(body);
        }
        if bytes.len() < size + 2 {
            bail!("the answer broke off");
        }
        body.extend_from_slice(&bytes[..size]);
        bytes = &bytes[size + 2..];
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_plain_and_in_chunks() {
        let plain = Answer::parse(b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n{\"a\":1}").unwrap();
        assert_eq!((plain.status, plain.header("x-a")), (200, Some("b")));
        assert_eq!(plain.json().unwrap()["a"], 1);
        let chunked = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
        let chunked = Answer::parse(chunked).unwrap();
        assert_eq!((chunked.status, chunked.text().as_str()), (404, "abcde"));
        assert!(Answer::parse(b"HTTP/1.1 200").is_err());
    }
}
