//! Starts the binary in a folder of its own, and speaks plain HTTP to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up; far more than it should.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long to wait between two looks at something that changes by itself.
const PAUSE: Duration = Duration::from_millis(20);

/// A data folder, which panels and commands use one after the other or side by side.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The binary with these arguments, this folder, and settings that cost little.
    #[expect(clippy::disallowed_methods, reason = "the binary is what is tested")]
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hatchery"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env("HATCHERY_DATA_DIR", self.path().join("data"))
            .env("HATCHERY_LISTEN", "127.0.0.1:0")
            .env("HATCHERY_LOG_FORMAT", "json")
            .env("HATCHERY_NODE_RUNTIME", "process")
            .env("HATCHERY_NODE_PORTS", "20000-20009")
            .env("HATCHERY_PASSWORD_MEMORY", "8")
            .env("HATCHERY_PASSWORD_PASSES", "1")
            .env("HATCHERY_RATE_LIMIT_PER_MINUTE", "0");
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must end well, and gives its answer.
    pub(crate) fn answer(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} failed: {errors}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// Runs a command that must end well, and gives its answer in JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.answer(&arguments)).unwrap()
    }

    /// Runs a command that must fail, and gives what it says about it.
    pub(crate) fn complaint(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?} did not fail: {output:?}"
        );
        String::from_utf8(output.stderr).unwrap()
    }

    /// An administrator with a client key.
    pub(crate) fn key(&self) -> String {
        self.answer(&[
            "user",
            "create",
            "--username",
            "admin",
            "--email",
            "admin@example.com",
            "--password",
            "hunter22",
            "--admin",
        ]);
        self.answer(&["api-key", "create", "--user", "admin"])
    }

    pub(crate) fn serve(&self) -> Panel {
        Panel::start(self.command(&["serve"]))
    }
}

/// A running panel; killed when the test ends.
pub(crate) struct Panel {
    child: Child,
    output: BufReader<ChildStdout>,
    /// What it printed when it was ready.
    pub(crate) greeting: String,
    /// Where it answers, without a slash at the end.
    pub(crate) url: String,
}

impl Panel {
    pub(crate) fn start(command: Command) -> Self {
        Self::logging(command, Stdio::null())
    }

    /// Starts a panel that logs to `log`.
    pub(crate) fn logging(mut command: Command, log: impl Into<Stdio>) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        output.read_line(&mut greeting).unwrap();
        let start = greeting
            .find("http://")
            .unwrap_or_else(|| panic!("no address in {greeting:?}"));
        let rest = greeting[start..].trim_end();
        let end = rest["http://".len()..]
            .find('/')
            .map_or(rest.len(), |slash| slash + "http://".len());
        let url = rest[..end].to_owned();
        let panel = Self {
            child,
            output,
            greeting: greeting.trim_end().to_owned(),
            url,
        };
        panel.until(|panel| panel.get("/ready").status == 200);
        panel
    }

    /// The token of the set-up link that it printed.
    pub(crate) fn setup_token(&self) -> &str {
        self.greeting.split_once("/setup?token=").unwrap().1
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// A call of the client API.
    pub(crate) fn call(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ];
        self.ask(method, path, &headers, body)
    }

    /// Sends a form.
    pub(crate) fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| {
            let encoded: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            encoded.concat()
        };
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        self.ask(
            "POST",
            path,
            &[("content-type", "application/x-www-form-urlencoded")],
            &body.join("&"),
        )
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        Answer::of(&self.url, method, path, headers, body).unwrap()
    }

    /// Waits until something holds.
    pub(crate) fn until(&self, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < PATIENCE, "it never came");
            std::thread::sleep(PAUSE);
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Waits for the end, and gives the exit code; nothing when a signal ended it.
    pub(crate) fn wait(mut self) -> Option<i32> {
        let code = self.child.wait().unwrap().code();
        // What it printed beside its greeting would be noise to whoever scripts it.
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        code
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// One request on a connection of its own; nothing when nobody answers any more.
    pub(crate) fn of(
        url: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Self> {
        let host = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let headers: String = headers
            .iter()
            .map(|(name, value)| [name, ": ", value, "\r\n"].concat())
            .collect();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self {
            status,
            head: head.to_lowercase(),
            body: body.to_owned(),
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    /// Whether the answer has this header, both in lower case.
    pub(crate) fn has(&self, header: &str, value: &str) -> bool {
        self.head.lines().any(|line| {
            line.strip_prefix(header)
                .is_some_and(|rest| rest.contains(value))
        })
    }
}
