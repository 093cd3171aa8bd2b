//! What a node is told about a server (node-protocol.md §2.5).

use std::collections::BTreeMap;

use hatchery_vocab::{ServerUuid, Swap};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Names and values of a server's environment in order. Values are strings; other daemons also
/// take booleans, numbers and null, so reading accepts them.
pub type Environment = serde_json::Map<String, Value>;

/// Everything that a node needs to run a server: what `GET /servers/{uuid}` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerConfiguration {
    /// Name, limits, environment, addresses.
    pub settings: ServerSettings,
    /// When it is ready, how it stops, which files to edit.
    pub process_configuration: ProcessConfiguration,
}

/// The settings of a server. A new document replaces the old one as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerSettings {
    /// The server.
    pub uuid: ServerUuid,
    /// Words for people.
    #[serde(default)]
    pub meta: Meta,
    /// Whether an administrator took the server out of service.
    #[serde(default)]
    pub suspended: bool,
    /// The start line with its `{{NAME}}` placeholders.
    pub invocation: String,
    /// Whether installations skip the egg's script.
    #[serde(default)]
    pub skip_egg_scripts: bool,
    /// The environment.
    #[serde(default, deserialize_with = "object")]
    pub environment: Environment,
    /// Labels for a container.
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
    /// Addresses.
    pub allocations: Allocations,
    /// Limits.
    pub build: Build,
    /// Whether a crash restarts the server; `None` leaves it to the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash_detection_enabled: Option<bool>,
    /// Further folders of the machine.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// What of the egg concerns the node.
    #[serde(default)]
    pub egg: Egg,
    /// The container.
    pub container: Container,
}

/// Words for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meta {
    /// The server's name.
    pub name: String,
    /// Its description.
    #[serde(deserialize_with = "nullable")]
    pub description: String,
}

/// The limits of a server. Amounts are in MiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Memory, zero for unlimited.
    pub memory_limit: u64,
    /// Swap: −1 is unlimited, 0 none.
    pub swap: i64,
    /// Weight among the machine's users of its disks, 10 to 1000.
    pub io_weight: u16,
    /// Processor share in hundredths of a core, zero for unlimited.
    pub cpu_limit: u32,
    /// The processors to run on, as a list such as `0,2-3`.
    #[serde(default)]
    pub threads: Option<String>,
    /// Disk space, zero for unlimited.
    pub disk_space: u64,
    /// Whether the kernel must not end the server when memory runs out.
    #[serde(default)]
    pub oom_disabled: bool,
}

impl Build {
    /// The swap as a type.
    pub fn swap(&self) -> Swap {
        Swap::from_wire(self.swap)
    }
}

/// The addresses of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocations {
    /// Whether outgoing connections must come from the primary address.
    #[serde(default)]
    pub force_outgoing_ip: bool,
    /// The primary address.
    pub default: DefaultAllocation,
    /// All ports by address. An object also when empty.
    #[serde(default, deserialize_with = "object")]
    pub mappings: BTreeMap<String, Vec<u16>>,
}

/// The primary address of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultAllocation {
    /// The address.
    pub ip: String,
    /// The port.
    pub port: u16,
}

/// A further folder of the machine that a server sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// The folder on the machine.
    pub source: String,
    /// Where the server sees it.
    pub target: String,
    /// Whether the server may only read.
    pub read_only: bool,
}

/// What of an egg concerns the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Egg {
    /// The egg's UUID, or empty.
    pub id: String,
    /// Files that people may not touch, in the syntax of gitignore.
    #[serde(deserialize_with = "nullable")]
    pub file_denylist: Vec<String>,
}

/// The container of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The image; a leading `~` says that it is local.
    pub image: String,
}

/// When a server is ready, how it stops, and which of its files to edit before it starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessConfiguration {
    /// When it is ready.
    pub startup: StartupConfiguration,
    /// How it stops.
    pub stop: StopConfiguration,
    /// Files to edit before each start.
    #[serde(deserialize_with = "nullable")]
    pub configs: Vec<ConfigurationFile>,
}

/// How to see that a server is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StartupConfiguration {
    /// Texts of which one appears on the console; `regex:` starts a regular expression.
    #[serde(deserialize_with = "nullable")]
    pub done: Vec<String>,
    /// Unused, always empty.
    #[serde(deserialize_with = "nullable")]
    pub user_interaction: Vec<String>,
    /// Whether to remove escape sequences before looking.
    pub strip_ansi: bool,
}

/// How to ask a server to stop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StopConfiguration {
    /// The way.
    #[serde(rename = "type")]
    pub kind: StopKind,
    /// The console line or the signal's name.
    pub value: Option<String>,
}

/// The ways to ask a server to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopKind {
    /// A line on the console.
    Command,
    /// A signal by name; `C` means `SIGINT`.
    Signal,
    /// The container's own stop signal.
    Stop,
    /// Nothing was said: end it.
    #[default]
    #[serde(rename = "", other)]
    Unset,
}

/// A file to edit before a start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigurationFile {
    /// Its format: `file`, `properties`, `ini`, `json`, `yaml`, `yml`, `xml`, `toml`.
    pub parser: String,
    /// Its path in the server's folder.
    pub file: String,
    /// What to change.
    #[serde(deserialize_with = "nullable")]
    pub replace: Vec<Replacement>,
}

/// One change of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Replacement {
    /// Where: a key, a path or the start of a line.
    pub r#match: String,
    /// Only when the present value is this, or matches it where it starts with `regex:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_value: Option<String>,
    /// The new value: string, number, boolean or null. Old panels call it `value`.
    #[serde(default, alias = "value")]
    pub replace_with: Value,
}

/// Reads null as the type's default.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads an object; an empty list, which is how PHP writes an empty object, and null mean none.
fn object<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lenient<T> {
        Object(T),
        Empty([(); 0]),
        Null(()),
    }
    Ok(match Lenient::deserialize(from)? {
        Lenient::Object(value) => value,
        Lenient::Empty([]) | Lenient::Null(()) => T::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{
        "settings": {
            "uuid": "f3f95466-7e8b-42a4-8504-6e7055874e39",
            "meta": {"name": "Creative", "description": null},
            "suspended": false,
            "environment": {"ZULU": "z", "ALPHA": 5, "NONE": null},
            "invocation": "./run {{ALPHA}}",
            "skip_egg_scripts": false,
            "build": {"memory_limit": 512, "swap": -1, "io_weight": 500, "cpu_limit": 0,
                      "threads": null, "disk_space": 0, "oom_disabled": true},
            "container": {"image": "~local", "oom_disabled": true, "requires_rebuild": false},
            "allocations": {"force_outgoing_ip": false, "default": {"ip": "127.0.0.1", "port": 25565},
                            "mappings": []},
            "mounts": [],
            "egg": {"id": "a", "file_denylist": null}
        },
        "process_configuration": {
            "startup": {"done": ["ready"], "user_interaction": [], "strip_ansi": false},
            "stop": {"type": "signal", "value": "C"},
            "configs": [{"parser": "json", "file": "a.json", "extra": 1, "replace": [
                {"match": "a", "value": 1}, {"match": "b", "if_value": "x", "replace_with": "y"}]}]
        }
    }"#;

    #[test]
    fn what_the_reference_panel_sends_is_understood() {
        let read: ServerConfiguration = serde_json::from_str(DOCUMENT).unwrap();
        let settings = &read.settings;
        assert_eq!(
            settings.environment.keys().collect::<Vec<_>>(),
            ["ZULU", "ALPHA", "NONE"]
        );
        assert_eq!(settings.build.swap(), Swap::Unlimited);
        assert!(settings.allocations.mappings.is_empty() && settings.egg.file_denylist.is_empty());
        assert_eq!(settings.crash_detection_enabled, None);
        let process = &read.process_configuration;
        assert_eq!(
            process.stop,
            StopConfiguration {
                kind: StopKind::Signal,
                value: Some("C".to_owned())
            }
        );
        assert_eq!(process.configs[0].replace[0].replace_with, 1);
        assert_eq!(process.configs[0].replace[1].if_value.as_deref(), Some("x"));
    }

    #[test]
    fn what_is_written_is_strictly_typed_and_reads_back() {
        let read: ServerConfiguration = serde_json::from_str(DOCUMENT).unwrap();
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(
            written["settings"]["allocations"]["mappings"],
            serde_json::json!({})
        );
        assert_eq!(written["settings"]["labels"], Value::Null);
        assert_eq!(
            written["process_configuration"]["stop"],
            serde_json::json!({"type": "signal", "value": "C"})
        );
        assert_eq!(
            serde_json::from_value::<ServerConfiguration>(written).unwrap(),
            read
        );
    }

    #[test]
    fn a_type_that_differs_rejects_the_document() {
        let broken = DOCUMENT.replace("\"memory_limit\": 512", "\"memory_limit\": \"512\"");
        assert!(serde_json::from_str::<ServerConfiguration>(&broken).is_err());
    }

    #[test]
    fn an_unknown_way_to_stop_is_unset() {
        for kind in ["", "container"] {
            let stop: StopConfiguration =
                serde_json::from_value(serde_json::json!({"type": kind})).unwrap();
            assert_eq!(stop.kind, StopKind::Unset);
        }
    }
}
