//! [`Egg`]s into egg files.

use serde_json::{Map, Value, json};

use crate::config::ConfigFile;
use crate::egg::{Egg, Labelled, Variable};

/// What a reader of the file sees first.
const COMMENT: &str = "Exported by Hatchery. It can be imported again, here and in other panels.";

impl Egg {
    /// The egg as a PTDL_v2 file. `exported_at` is a date in ISO 8601.
    pub fn to_ptdl_v2(&self, exported_at: &str) -> Value {
        let string = |value: Value| Value::String(value.to_string());
        json!({
            "_comment": COMMENT,
            "meta": {"version": "PTDL_v2", "update_url": self.update_url},
            "exported_at": exported_at,
            "name": self.name,
            "author": self.author,
            "description": self.description,
            "features": self.features,
            "docker_images": object(&self.docker_images),
            "file_denylist": self.file_denylist,
            "startup": self.start_line(),
            "config": {
                "files": string(ConfigFile::write(&self.config_files)),
                "startup": string(self.startup.write()),
                "logs": "{}",
                "stop": self.stop.to_string(),
            },
            "scripts": self.scripts(),
            "variables": self.variables.iter().map(|variable| Value::Object(shared(variable))).collect::<Vec<_>>(),
        })
    }

    /// The egg as a PLCN_v3 file. `exported_at` is a date in ISO 8601.
    pub fn to_plcn_v3(&self, exported_at: &str) -> Value {
        let variable = |(index, variable): (usize, &Variable)| {
            let mut entry = shared(variable);
            entry.shift_remove("field_type");
            // A pattern may hold a bar, so the string stays one when it cannot be split safely.
            let rules: Vec<&str> = variable
                .rules
                .split('|')
                .filter(|rule| !rule.is_empty())
                .collect();
            let has_pattern = rules.iter().any(|rule| rule.contains("regex:"));
            entry["rules"] = if has_pattern {
                json!(variable.rules)
            } else {
                json!(rules)
            };
            entry.insert("sort".to_owned(), json!(index + 1));
            Value::Object(entry)
        };
        json!({
            "_comment": COMMENT,
            "meta": {"version": "PLCN_v3", "update_url": self.update_url},
            "exported_at": exported_at,
            "name": self.name,
            "author": self.author,
            "uuid": self.uuid.map(|uuid| uuid.to_string()),
            "description": self.description,
            "icon": self.icon,
            "tags": self.tags,
            "features": self.features.as_deref().unwrap_or_default(),
            "docker_images": object(&self.docker_images),
            "file_denylist": self.file_denylist,
            "startup_commands": object(&self.startup_commands),
            "config": {
                "files": ConfigFile::write(&self.config_files),
                "startup": self.startup.write(),
                "logs": {},
                "stop": self.stop.to_string(),
            },
            "scripts": self.scripts(),
            "variables": self.variables.iter().enumerate().map(variable).collect::<Vec<_>>(),
        })
    }

    fn scripts(&self) -> Value {
        let install = self.install.as_ref();
        json!({"installation": {
            "script": install.map_or("", |install| &install.script),
            "container": install.map_or("debian:bookworm-slim", |install| &install.container),
            "entrypoint": install.map_or("bash", |install| &install.entrypoint),
        }})
    }
}

fn object(entries: &[Labelled]) -> Value {
    entries
        .iter()
        .map(|entry| (entry.label.clone(), Value::from(entry.value.as_str())))
        .collect()
}

/// What both formats say about a variable.
fn shared(variable: &Variable) -> Map<String, Value> {
    let entry = json!({
        "name": variable.name,
        "description": variable.description,
        "env_variable": variable.env_variable,
        "default_value": variable.default_value,
        "user_viewable": variable.user_viewable,
        "user_editable": variable.user_editable,
        "rules": variable.rules,
        "field_type": variable.field_type,
    });
    if let Value::Object(entry) = entry {
        entry
    } else {
        Map::new()
    }
}
