//! Sends a recorded request as it was sent, with what is new in this run in the place of what was
//! new in the recorded one: cookies, one-time codes, names of new things.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use anyhow::{Context, Result};
use hatchery_e2e::{Answer, exchange};
use serde_json::Value;

use crate::recording::Exchange;
use crate::totp;

/// The secret of the user `totp` of the recorded world.
const SEEDED_SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// Codes that were recorded because they are wrong.
const WRONG_CODES: [&str; 2] = ["000000", "123456"];

/// Shortest text that is taken for a name: shorter ones could be part of anything.
const SHORTEST_NAME: usize = 8;

/// What a browser and its user would remember between requests.
#[derive(Debug)]
pub(crate) struct Sender {
    cookies: BTreeMap<String, String>,
    renamed: HashMap<String, String>,
    secret: String,
}

impl Sender {
    /// One that remembers nothing.
    pub(crate) fn new() -> Sender {
        Sender {
            cookies: BTreeMap::new(),
            renamed: HashMap::new(),
            secret: SEEDED_SECRET.to_owned(),
        }
    }

    /// Sends the request of an exchange.
    pub(crate) fn send(&mut self, address: SocketAddr, request: &Exchange) -> Result<Answer> {
        let with_cookies = request.request_headers.contains_key("Cookie");
        if request.path == "/sanctum/csrf-cookie" && !with_cookies {
            self.cookies.clear();
        }
        let path = self.renamed(&request.path);
        let body = self.body(request);
        let mut head = format!(
            "{} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n",
            request.method
        );
        for (name, value) in &request.request_headers {
            let Some(recorded) = value.as_str() else {
                continue;
            };
            let value = match name.as_str() {
                "Cookie" => self.cookie_header(),
                "X-XSRF-TOKEN" if recorded.starts_with('<') => self.xsrf_token(),
                _ => recorded.to_owned(),
            };
            for part in [name, ": ", &value, "\r\n"] {
                head.push_str(part);
            }
        }
        let sends_body = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
        if body.is_some() || sends_body {
            let length = body.as_ref().map_or(0, Vec::len);
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str("\r\n");
        let answer = exchange(address, head.as_bytes(), &body.unwrap_or_default())
            .with_context(|| format!("{} {path}", request.method))?;
        self.remember(&answer);
        Ok(answer)
    }

    /// Remembers what new things are called in this run.
    pub(crate) fn rename(&mut self, pairs: Vec<(String, String)>) {
        let long = pairs
            .into_iter()
            .filter(|(name, _)| name.len() >= SHORTEST_NAME);
        self.renamed.extend(long);
    }

    fn remember(&mut self, answer: &Answer) {
        for (_, cookie) in answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
        {
            if let Some((name, value)) = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
            {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Ok(body) = answer.json()
            && let Some(secret) = body["data"]["secret"].as_str()
        {
            secret.clone_into(&mut self.secret);
        }
    }

    fn cookie_header(&self) -> String {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn xsrf_token(&self) -> String {
        let token = self
            .cookies
            .iter()
            .find(|(name, _)| {
                let name = name.to_lowercase();
                name.contains("xsrf") || name.contains("csrf")
            })
            .map_or("", |(_, value)| value.as_str());
        token
            .replace("%3D", "=")
            .replace("%2B", "+")
            .replace("%2F", "/")
    }

    fn body(&self, request: &Exchange) -> Option<Vec<u8>> {
        let mut request = request.clone();
        for field in ["code", "authentication_code"] {
            if let Some(code) = request.request_body.get_mut(field)
                && code.as_str().is_some_and(is_code_of_its_time)
                && let Some(now) = totp::code(&self.secret)
            {
                *code = Value::String(now);
            }
        }
        let body = request.body()?;
        match String::from_utf8(body) {
            Ok(text) => Some(self.renamed(&text).into_bytes()),
            Err(raw) => Some(raw.into_bytes()),
        }
    }

    fn renamed(&self, text: &str) -> String {
        if text.len() > 64 * 1024 {
            return text.to_owned();
        }
        let mut text = text.to_owned();
        for (recorded, ours) in &self.renamed {
            if text.contains(recorded.as_str()) {
                text = text.replace(recorded.as_str(), ours);
            }
        }
        text
    }
}

fn is_code_of_its_time(code: &str) -> bool {
    code.len() == 6
        && code.bytes().all(|byte| byte.is_ascii_digit())
        && !WRONG_CODES.contains(&code)
}
