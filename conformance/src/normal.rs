//! The one place that knows what differs from run to run: a recorded value and ours count as the
//! same when they are equal, or when both are of a kind that is made anew each time.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::template::{RECORDED_HOST_PORT, RECORDED_NODE_PORT};

/// Headers that clients read.
const HEADERS: [&str; 6] = [
    "allow",
    "cache-control",
    "content-type",
    "location",
    "www-authenticate",
    "x-ratelimit-limit",
];

/// Headers of which only the presence is the same each time.
const COUNTING_HEADERS: [&str; 2] = ["retry-after", "x-ratelimit-remaining"];

/// Fields that are made at random: only their length is the same each time.
const RANDOM: [&str; 8] = [
    "confirmation_token",
    "jti",
    "jtis",
    "password",
    "secret",
    "secret_token",
    "tokens",
    "unique_id",
];

/// Where this run's node and database host listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// The stand-in's port.
    pub node: u16,
    /// The database host's port.
    pub host: u16,
}

impl Ports {
    /// What we answered, as if the ports were those of the recording.
    pub(crate) fn as_recorded(self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (key, field) in fields {
                    if let Some(port) = field.as_u64() {
                        if port == u64::from(self.node) {
                            *field = json!(RECORDED_NODE_PORT);
                        } else if key == "port" && port == u64::from(self.host) {
                            *field = json!(RECORDED_HOST_PORT);
                        }
                    }
                    self.as_recorded(field);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.as_recorded(item)),
            Value::String(text) => {
                let ours = format!(":{}", self.node);
                if text.contains(&ours) {
                    *text = text.replace(&ours, &format!(":{RECORDED_NODE_PORT}"));
                }
            }
            _ => {}
        }
    }
}

/// Whether a field says nothing that could be compared.
pub(crate) fn is_ignored(key: &str) -> bool {
    key == "last_used_at"
}

/// Whether two scalars that are not equal mean the same. `key` is the field that they stand in.
pub(crate) fn is_same(key: &str, recorded: &Value, ours: &Value) -> bool {
    match (recorded, ours) {
        (Value::Number(recorded), Value::Number(ours)) => {
            let (recorded_f, ours_f) = (recorded.as_f64(), ours.as_f64());
            recorded_f == ours_f || new_numbers(key, recorded.as_u64(), ours.as_u64())
        }
        (Value::String(recorded), Value::String(ours)) => {
            canonical(recorded) == canonical(ours) || new_texts(key, recorded, ours)
        }
        _ => false,
    }
}

/// Whether both are ids of new rows, or ports that were picked at random.
fn new_numbers(key: &str, recorded: Option<u64>, ours: Option<u64>) -> bool {
    let (Some(recorded), Some(ours)) = (recorded, ours) else {
        return false;
    };
    let is_id = key == "id" || key.ends_with("_id");
    is_id && recorded >= 10 && ours >= 10 || key == "port" && is_picked(recorded) && is_picked(ours)
}

const fn is_picked(port: u64) -> bool {
    port >= 25600 && port <= 25700
}

/// Whether both are names or secrets that were made up in the same way.
fn new_texts(key: &str, recorded: &str, ours: &str) -> bool {
    let same_length = recorded.len() == ours.len() && !ours.contains(' ');
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match key {
        _ if RANDOM.contains(&key) => same_length && !recorded.starts_with("Seeded"),
        // Public ids of databases.
        "id" => same_length && recorded.len() == 8 && plain(recorded) && plain(ours),
        // API keys.
        "identifier" => same_length && recorded.starts_with("ptl") && recorded[..5] == ours[..5],
        // A name made of an address ends in three letters that are drawn.
        "username" if same_length && recorded.len() > 3 && !recorded.starts_with('u') => {
            let stem = |text: &str| text.get(..text.len() - 3).map(str::to_owned);
            stem(recorded) == stem(ours)
        }
        "username" => {
            let stem = |text: &str| {
                text.split_once('_')
                    .map(|(stem, rest)| (stem.to_owned(), rest.len()))
            };
            same_length && recorded.starts_with('u') && stem(recorded) == stem(ours)
        }
        _ => false,
    }
}

/// A text with placeholders for what is new each time.
fn canonical(text: &str) -> String {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?<jwt>eyJ[\w-]+\.[\w-]+\.[\w-]+)",
            r"|(?<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b)",
            r"|\b20(?:2[5-9]|[3-9]\d)-\d\d-\d\d(?<sep>[T ])\d\d:\d\d:\d\d(?:\.\d+)?(?<zone>Z|\+00:00)?",
            r"|(?<port>127\.0\.0\.1:25[67]\d\d\b)",
            r"|(?<secret>secret=[A-Z2-7]+)",
            r"|^(?<subject>[a-z_]+:)[1-9]\d+$",
            r"|\b(?<user>u\d+_)\w{10}\b",
            r"|(?<wait>\bin \d+ seconds\b)",
        ))
        .ok()
    });
    let Some(pattern) = PATTERN.as_ref() else {
        return text.to_owned();
    };
    let placeholder = |found: &Captures<'_>| {
        let name = |name: &str| found.name(name).map_or("", |part| part.as_str());
        if found.name("jwt").is_some() {
            "<token>".to_owned()
        } else if found.name("uuid").is_some() {
            new_uuid(name("uuid"))
        } else if found.name("sep").is_some() {
            format!("<time{}{}>", name("sep"), name("zone"))
        } else if found.name("port").is_some() {
            "<port>".to_owned()
        } else if found.name("secret").is_some() {
            "<secret>".to_owned()
        } else if found.name("wait").is_some() {
            "in <n> seconds".to_owned()
        } else {
            format!("{}{}<new>", name("subject"), name("user"))
        }
    };
    pattern.replace_all(text, placeholder).into_owned()
}

/// The seeded world's UUIDs have a pattern; all others are new.
fn new_uuid(uuid: &str) -> String {
    let seeded = ["-4000-8000-", "-1111-4111-8111-", "-2222-4222-8222-"];
    if seeded.iter().any(|pattern| uuid.contains(pattern)) {
        uuid.to_owned()
    } else {
        "<uuid>".to_owned()
    }
}

/// The headers to compare.
pub(crate) fn headers<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut kept = Map::new();
    for (name, value) in all {
        if HEADERS.contains(&name) {
            kept.insert(name.to_owned(), json!(value.to_lowercase()));
        } else if COUNTING_HEADERS.contains(&name) {
            kept.insert(name.to_owned(), json!("<number>"));
        }
    }
    kept.sort_keys();
    Value::Object(kept)
}

/// Header and claims of a token, times as how far they are from its issue. A `scope` is an
/// addition of ours.
pub(crate) fn token(token: &Value) -> Value {
    let mut token = token.clone();
    if let Some(claims) = token["claims"].as_object_mut() {
        let issued = claims
            .get("iat")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        for name in ["exp", "nbf"] {
            if let Some(time) = claims.get_mut(name)
                && let Some(seconds) = time.as_i64()
            {
                *time = json!(format!("{:+} s", seconds - issued));
            }
        }
        claims.remove("iat");
        claims.remove("scope");
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_each_time_is_the_same() {
        let same = |key: &str, recorded: Value, ours: Value| is_same(key, &recorded, &ours);
        assert!(same(
            "created_at",
            json!("2026-11-23T18:00:00+00:00"),
            json!("2027-01-01T00:00:00+00:00")
        ));
        assert!(!same(
            "created_at",
            json!("2026-11-23T18:00:00+00:00"),
            json!("2027-01-01T00:00:00Z")
        ));
        assert!(!same(
            "created_at",
            json!("2024-01-01T00:00:00+00:00"),
            json!("2027-01-01T00:00:00+00:00")
        ));
        assert!(same(
            "uuid",
            json!("f6847f0e-b3e9-46f8-885a-591d9539b8f7"),
            json!("05847f0e-b3e9-46f8-885a-591d9539b8f7")
        ));
        assert!(!same(
            "uuid",
            json!("aaaaaaa1-0000-4000-8000-000000000001"),
            json!("05847f0e-b3e9-46f8-885a-591d9539b8f7")
        ));
        assert!(same("id", json!(100), json!(103)));
        assert!(!same("id", json!(100), json!(3)));
        assert!(!same("name", json!("a"), json!("b")));
        assert!(same(
            "username",
            json!("u1_jkDYeemT9m"),
            json!("u1_aaaaaaaaaa")
        ));
        assert!(!same(
            "username",
            json!("u1_jkDYeemT9m"),
            json!("u2_aaaaaaaaaa")
        ));
        assert!(!same(
            "password",
            json!("SeededDbPass1"),
            json!("SeededDbPass2")
        ));
        assert!(same("", json!("backup:100"), json!("backup:101")));
        assert!(same("memory", json!(0), json!(0.0)));
    }
}
