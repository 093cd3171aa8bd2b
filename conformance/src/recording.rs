//! The format of the recordings: one exchange a line, by area, in the order in which they ran.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The areas in the order in which the table shows them.
pub(crate) const AREAS: [&str; 14] = [
    "account",
    "servers",
    "websocket",
    "files",
    "databases",
    "schedules",
    "network",
    "users",
    "backups",
    "startup-settings",
    "auth",
    "errors",
    "application",
    "remote",
];

/// A request of a recording, and what the reference did.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Exchange {
    /// What it shows; unique in its area.
    pub name: String,
    /// Whose credential was sent.
    pub actor: String,
    /// Whether the world is put back to the template before it.
    #[serde(default)]
    pub reset: bool,
    /// Whether the answer is kept back.
    #[serde(default)]
    pub withheld: bool,
    /// The method.
    pub method: String,
    /// The path and query as they were sent.
    pub path: String,
    /// The headers that matter; a header that was left out on purpose is null.
    #[serde(default)]
    pub request_headers: Map<String, Value>,
    /// JSON, or a string where the raw text matters.
    #[serde(default)]
    pub request_body: Value,
    /// The answer's status; 0 where it is withheld.
    #[serde(default)]
    pub status: u16,
    /// The answer's headers.
    #[serde(default)]
    pub response_headers: Map<String, Value>,
    /// The answer's body: JSON, text, or null for none.
    #[serde(default)]
    pub response_body: Value,
    /// Header and claims of each token in the body.
    #[serde(default)]
    pub response_jwt: Option<Vec<Value>>,
    /// What the node was asked.
    #[serde(default)]
    pub daemon_requests: Option<Vec<Value>>,
    /// How the node was told to behave.
    #[serde(default)]
    pub daemon_mode: Option<Value>,
    /// The rows that the activity log got.
    #[serde(default)]
    pub activity: Option<Vec<Value>>,
    /// Statements that ran on the reference's tables just before.
    #[serde(default)]
    precondition_sql: Option<Statements>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Statements {
    One(String),
    Several(Vec<String>),
}

impl Exchange {
    /// The statements that ran just before.
    pub(crate) fn preconditions(&self) -> &[String] {
        match &self.precondition_sql {
            None => &[],
            Some(Statements::One(one)) => std::slice::from_ref(one),
            Some(Statements::Several(several)) => several,
        }
    }

    /// The bytes of the request's body.
    pub(crate) fn body(&self) -> Option<Vec<u8>> {
        if self.name.ends_with("bad utf8") {
            // The one body that the format cannot hold.
            return Some(b"{\"command\":\"\xff\xfe\"}".to_vec());
        }
        match &self.request_body {
            Value::Null => None,
            Value::String(raw) => Some(raw.clone().into_bytes()),
            json => Some(json.to_string().into_bytes()),
        }
    }
}

/// Where the recordings are.
#[derive(Clone, Debug)]
pub(crate) struct Recordings {
    folder: PathBuf,
}

impl Recordings {
    /// The recordings in `folder`.
    pub(crate) fn in_folder(folder: &Path) -> Result<Recordings> {
        let folder = folder.to_owned();
        ensure!(
            folder.join("recordings").is_dir(),
            "there are no recordings in {}",
            folder.display()
        );
        Ok(Recordings { folder })
    }

    /// The exchanges of an area.
    pub(crate) fn area(&self, area: &str) -> Result<Vec<Exchange>> {
        let file = self.folder.join("recordings").join(format!("{area}.jsonl"));
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        text.lines()
            .map(|line| {
                serde_json::from_str(line).with_context(|| format!("{}: {line}", file.display()))
            })
            .collect()
    }

    /// The dump of the recorded world's database.
    pub(crate) fn dump(&self) -> PathBuf {
        self.folder.join("world/panel.sql")
    }

    /// The stand-in of a node.
    pub(crate) fn stand_in(&self) -> PathBuf {
        self.folder.join("stand_in_node.py")
    }
}
