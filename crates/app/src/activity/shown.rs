//! How the properties of an entry are shown (client-api.md §12.2 to §12.4). Pure.

use serde_json::{Map, Value};

/// The properties as a reader sees them. `by_actor` says whether the reader is the one who acted.
pub fn shown_properties(stored: &Map<String, Value>, by_actor: bool) -> Map<String, Value> {
    let mut shown = Map::with_capacity(stored.len());
    for (key, value) in stored {
        match (key.as_str(), value) {
            ("ip", _) if !by_actor => {
                shown.insert(key.clone(), Value::from("[hidden]"));
            }
            ("directory", value) if !value.is_array() => {
                shown.insert(key.clone(), Value::from(normal_directory(value)));
            }
            (_, Value::Array(items)) => {
                shown.insert(key.clone(), value.clone());
                shown.insert(format!("{key}_count"), Value::from(items.len()));
            }
            _ => {
                shown.insert(key.clone(), value.clone());
            }
        }
    }
    let mut counts = shown.keys().filter(|key| key.ends_with("_count"));
    if let (Some(only), None) = (counts.next().cloned(), counts.next()) {
        let count = shown.shift_remove(&only).unwrap_or_default();
        shown.insert("count".to_owned(), count);
    }
    shown
}

/// `/` + the folder without slashes at its ends + `/`, doubled slashes collapsed.
fn normal_directory(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        "/".to_owned()
    } else {
        format!("/{}/", names.join("/"))
    }
}

/// Whether the stored properties say more than the sentence about the event does.
pub fn has_additional_metadata(event: &str, stored: &Map<String, Value>) -> bool {
    const EVERYWHERE: [&str; 3] = ["ip", "useragent", "using_sftp"];
    let told = placeholders(event);
    stored
        .keys()
        .any(|key| !EVERYWHERE.contains(&key.as_str()) && !told.contains(&key.as_str()))
}

/// The properties that the sentence about an event holds (client-api.md §12.4).
fn placeholders(event: &str) -> &'static [&'static str] {
    match event {
        "auth:ip-blocked" | "user:api-key.create" | "user:api-key.delete" => &["identifier"],
        "auth:sftp.fail" => &["method"],
        "user:account.email-changed"
        | "server:settings.rename"
        | "server:settings.description"
        | "server:startup.image" => &["old", "new"],
        "user:ssh-key.create" | "user:ssh-key.delete" => &["fingerprint"],
        "server:console.command" => &["command"],
        "server:backup.start"
        | "server:backup.delete"
        | "server:backup.download"
        | "server:backup.lock"
        | "server:backup.unlock"
        | "server:backup.complete"
        | "server:backup.fail"
        | "server:backup.restore-complete"
        | "server:backup.restore-failed"
        | "server:database.create"
        | "server:database.rotate-password"
        | "server:database.delete"
        | "server:schedule.create"
        | "server:schedule.update"
        | "server:schedule.execute"
        | "server:schedule.delete"
        | "server:task.delete" => &["name"],
        "server:backup.restore" => &["name", "truncate"],
        "server:file.read" | "server:file.copy" | "server:file.download" | "server:file.write" => {
            &["file"]
        }
        "server:file.decompress" => &["files", "directory"],
        "server:file.create-directory" => &["directory", "name"],
        "server:file.pull" => &["url", "directory"],
        "server:file.uploaded" => &["directory", "file"],
        "server:allocation.create" | "server:allocation.primary" | "server:allocation.delete" => {
            &["allocation"]
        }
        "server:allocation.notes" => &["allocation", "old", "new"],
        "server:task.create" | "server:task.update" => &["action", "name"],
        "server:startup.edit" => &["variable", "old", "new"],
        "server:subuser.create" | "server:subuser.update" | "server:subuser.delete" => &["email"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn properties_are_shown_as_the_specification_says() {
        let table = [
            (json!({}), json!({})),
            (json!({"directory": null}), json!({"directory": "/"})),
            (
                json!({"directory": "a//b/", "name": "x"}),
                json!({"directory": "/a/b/", "name": "x"}),
            ),
            (
                json!({"files": ["a", "b"], "directory": "/"}),
                json!({"files": ["a", "b"], "directory": "/", "count": 2}),
            ),
            (
                json!({"old": [1], "new": []}),
                json!({"old": [1], "old_count": 1, "new": [], "new_count": 0}),
            ),
            (json!({"ip": "192.0.2.1"}), json!({"ip": "[hidden]"})),
        ];
        for (stored, expected) in table {
            let shown = Value::from(shown_properties(&map(stored.clone()), false));
            assert_eq!(shown.to_string(), expected.to_string(), "{stored}");
        }
        let own = shown_properties(&map(json!({"ip": "192.0.2.1"})), true);
        assert_eq!(own["ip"], "192.0.2.1");
    }

    #[test]
    fn more_than_the_sentence() {
        let table = [
            ("server:power.start", json!({}), false),
            ("server:console.command", json!({"command": "say"}), false),
            (
                "server:file.rename",
                json!({"directory": "/", "files": []}),
                true,
            ),
            ("auth:success", json!({"ip": "x", "useragent": "y"}), false),
            (
                "server:backup.start",
                json!({"name": "n", "locked": true}),
                true,
            ),
        ];
        for (event, stored, expected) in table {
            assert_eq!(
                has_additional_metadata(event, &map(stored)),
                expected,
                "{event}"
            );
        }
    }
}
