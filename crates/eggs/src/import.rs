//! Egg files into [`Egg`]s: PTDL_v1 and v2, PLCN_v1 to v3, in JSON and YAML.

use hatchery_rules::RuleSet;
use serde_json::{Map, Value};

use crate::config::{ConfigFile, Startup};
use crate::egg::{Egg, Install, Labelled, Variable};
use crate::lenient::{clean, flag_at, some_text_at, text, text_at, texts};
use crate::stop::Stop;

/// The largest egg file, in bytes. Pictures in eggs are the reason that it is not smaller.
pub const MAX_FILE: usize = 2 << 20;

/// The longest name, author, label, image and update address, in characters.
const MAX_SHORT: usize = 191;
/// The longest description and start line, in bytes.
const MAX_LONG: usize = 64 << 10;
/// The most images, start lines, files, variables, features, tags and patterns of each kind.
const MAX_ITEMS: usize = 200;

/// An egg that was read, and what was not understood in its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The egg.
    pub egg: Egg,
    /// Sentences for the person who imports it.
    pub warnings: Vec<String>,
}

/// Why a file is not taken as an egg.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file is too large to be an egg.
    #[error("the file has {0} bytes; an egg has at most {MAX_FILE}")]
    TooLarge(usize),
    /// The file is not text.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// The file is neither JSON nor YAML.
    #[error("the file is neither JSON nor YAML: {0}")]
    Syntax(String),
    /// The file holds something else than an object.
    #[error("the file does not hold an object")]
    NotAnObject,
    /// The version tag is missing or unknown.
    #[error("`meta.version` is {0}; known are PTDL_v1, PTDL_v2, PLCN_v1, PLCN_v2 and PLCN_v3")]
    Version(String),
    /// A field without which there is no egg.
    #[error("`{0}` is missing or empty")]
    Missing(&'static str),
    /// A text is too long.
    #[error("`{field}` is longer than {limit}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its limit in characters or bytes.
        limit: usize,
    },
    /// A list is too long.
    #[error("`{0}` has more than {MAX_ITEMS} entries")]
    TooMany(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Ptdl1,
    Ptdl2,
    Plcn,
}

/// Reads an egg file.
///
/// # Errors
/// Says why the file is no egg that could be used.
pub fn import(file: &[u8]) -> Result<Import, ImportError> {
    if file.len() > MAX_FILE {
        return Err(ImportError::TooLarge(file.len()));
    }
    let file = std::str::from_utf8(file).map_err(|_| ImportError::NotText)?;
    let file = file.trim_start_matches('\u{feff}');
    let Value::Object(root) = parse(file)? else {
        return Err(ImportError::NotAnObject);
    };
    read(&root)
}

fn parse(file: &str) -> Result<Value, ImportError> {
    if file.trim_start().starts_with('{') {
        return serde_json::from_str(file).map_err(|error| ImportError::Syntax(error.to_string()));
    }
    if let Some(danger) = hatchery_configfile::yaml::danger(file) {
        return Err(ImportError::Syntax(danger));
    }
    let yaml =
        yaml_serde::from_str(file).map_err(|error| ImportError::Syntax(error.to_string()))?;
    Ok(from_yaml(yaml))
}

/// YAML as JSON: keys that are numbers or booleans become text, tags are dropped.
fn from_yaml(yaml: yaml_serde::Value) -> Value {
    match yaml {
        yaml_serde::Value::Null => Value::Null,
        yaml_serde::Value::Bool(yes) => Value::Bool(yes),
        yaml_serde::Value::Number(number) => serde_json::to_value(number).unwrap_or_default(),
        yaml_serde::Value::String(text) => Value::String(text),
        yaml_serde::Value::Sequence(items) => items.into_iter().map(from_yaml).collect(),
        yaml_serde::Value::Mapping(entries) => entries
            .into_iter()
            .filter_map(|(key, value)| Some((text(&from_yaml(key))?, from_yaml(value))))
            .collect(),
        yaml_serde::Value::Tagged(tagged) => from_yaml(tagged.value),
    }
}

fn read(root: &Map<String, Value>) -> Result<Import, ImportError> {
    let version = root.get("meta").and_then(|meta| meta.get("version"));
    let format = match version.and_then(Value::as_str) {
        Some("PTDL_v1") => Format::Ptdl1,
        Some("PTDL_v2") => Format::Ptdl2,
        Some("PLCN_v1" | "PLCN_v2" | "PLCN_v3") => Format::Plcn,
        Some(other) => return Err(ImportError::Version(format!("`{}`", shorten(other)))),
        None => return Err(ImportError::Version("missing".to_owned())),
    };
    let mut warnings = Vec::new();
    let empty = Map::new();
    let config = root
        .get("config")
        .and_then(Value::as_object)
        .unwrap_or(&empty);

    let (stop, note) = Stop::parse(&text_at(config, "stop"));
    warnings.extend(note);
    let startup_commands = startup_commands(root);
    if startup_commands.is_empty() {
        warnings.push("there is no start line, so a server of this egg cannot start".to_owned());
    }
    let docker_images = docker_images(root, format);
    if docker_images.is_empty() {
        warnings.push(
            "there is no image, so a server of this egg cannot run in a container".to_owned(),
        );
    }
    let icon_key = if root.contains_key("icon") {
        "icon"
    } else {
        "image"
    };
    let egg = Egg {
        uuid: some_text_at(root, "uuid").and_then(|uuid| uuid.parse().ok()),
        name: some_text_at(root, "name")
            .ok_or(ImportError::Missing("name"))?
            .trim()
            .to_owned(),
        author: text_at(root, "author"),
        description: text_at(root, "description"),
        source_format: version.and_then(text).unwrap_or_default(),
        update_url: root
            .get("meta")
            .and_then(Value::as_object)
            .and_then(|meta| some_text_at(meta, "update_url")),
        icon: (format == Format::Plcn)
            .then(|| some_text_at(root, icon_key))
            .flatten(),
        tags: root.get("tags").map(texts).unwrap_or_default(),
        features: root
            .get("features")
            .filter(|features| !features.is_null())
            .map(texts),
        docker_images,
        file_denylist: root.get("file_denylist").map(texts).unwrap_or_default(),
        startup_commands,
        config_files: ConfigFile::read(config.get("files"), &mut warnings),
        startup: Startup::read(config.get("startup"), &mut warnings),
        stop,
        install: install(root),
        variables: variables(root, &mut warnings)?,
    };
    check_sizes(&egg)?;
    Ok(Import { egg, warnings })
}

/// An object of labels, a list or a single text. Without labels the value is its own label.
fn labelled(value: Option<&Value>) -> Vec<Labelled> {
    match value {
        Some(Value::Object(entries)) => entries
            .iter()
            .filter_map(|(label, value)| {
                Some(Labelled {
                    label: clean(label),
                    value: text(value)?,
                })
            })
            .filter(|entry| !entry.value.trim().is_empty())
            .collect(),
        Some(other) => texts(other)
            .into_iter()
            .map(|value| Labelled {
                label: value.clone(),
                value,
            })
            .collect(),
        None => Vec::new(),
    }
}

fn docker_images(root: &Map<String, Value>, format: Format) -> Vec<Labelled> {
    let keys: &[&str] = match format {
        Format::Ptdl1 => &["docker_images", "images", "image"],
        Format::Ptdl2 => &["docker_images", "images"],
        // `image` is a picture here.
        Format::Plcn => &["docker_images"],
    };
    keys.iter()
        .map(|key| labelled(root.get(*key)))
        .find(|images| !images.is_empty())
        .unwrap_or_default()
}

fn startup_commands(root: &Map<String, Value>) -> Vec<Labelled> {
    let commands = labelled(root.get("startup_commands"));
    if !commands.is_empty() {
        return commands;
    }
    // A start line may have line breaks, so it is never split.
    let single = some_text_at(root, "startup");
    single
        .into_iter()
        .map(|value| Labelled {
            label: "Default".to_owned(),
            value,
        })
        .collect()
}

fn install(root: &Map<String, Value>) -> Option<Install> {
    let script = root.get("scripts")?.get("installation")?.as_object()?;
    Some(Install {
        script: some_text_at(script, "script")?,
        container: some_text_at(script, "container")
            .unwrap_or_else(|| "debian:bookworm-slim".to_owned()),
        entrypoint: some_text_at(script, "entrypoint").unwrap_or_else(|| "bash".to_owned()),
    })
}

fn variables(
    root: &Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Variable>, ImportError> {
    let entries: Vec<&Value> = match root.get("variables") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Object(items)) => items.values().collect(),
        _ => Vec::new(),
    };
    if entries.len() > MAX_ITEMS {
        return Err(ImportError::TooMany("variables"));
    }
    let mut sorted: Vec<(f64, Variable)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(entry) = entry.as_object() else {
            warnings.push("an entry of `variables` is not an object, it is left out".to_owned());
            continue;
        };
        let variable = variable(entry, warnings);
        if !is_variable_name(&variable.env_variable) {
            let name = shorten(&variable.env_variable);
            warnings.push(format!(
                "`{name}` cannot be the name of a variable, it is left out"
            ));
        } else if sorted
            .iter()
            .any(|(_, known)| known.env_variable == variable.env_variable)
        {
            warnings.push(format!(
                "{} is there twice, the second is left out",
                variable.env_variable
            ));
        } else {
            sorted.push((
                entry.get("sort").and_then(Value::as_f64).unwrap_or(0.0),
                variable,
            ));
        }
    }
    sorted.sort_by(|(left, _), (right, _)| left.total_cmp(right));
    Ok(sorted.into_iter().map(|(_, variable)| variable).collect())
}

fn variable(entry: &Map<String, Value>, warnings: &mut Vec<String>) -> Variable {
    let env_variable = text_at(entry, "env_variable").trim().to_owned();
    let rules = match entry.get("rules") {
        Some(Value::String(rules)) => clean(rules),
        Some(list) => texts(list).join("|"),
        None => String::new(),
    };
    for problem in RuleSet::parse(&rules).problems() {
        warnings.push(format!(
            "{}: {problem}, it is ignored",
            shorten(&env_variable)
        ));
    }
    Variable {
        name: text_at(entry, "name"),
        description: text_at(entry, "description"),
        default_value: text_at(entry, "default_value"),
        user_viewable: flag_at(entry, "user_viewable"),
        user_editable: flag_at(entry, "user_editable"),
        rules,
        field_type: some_text_at(entry, "field_type").unwrap_or_else(|| "text".to_owned()),
        env_variable,
    }
}

fn is_variable_name(name: &str) -> bool {
    (1..=MAX_SHORT).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Enough of a stranger's text to recognise it by.
fn shorten(text: &str) -> String {
    const ENOUGH: usize = 40;
    text.chars().take(ENOUGH).collect()
}

fn check_sizes(egg: &Egg) -> Result<(), ImportError> {
    let labelled = |list: &[Labelled]| {
        list.iter()
            .flat_map(|entry| [entry.label.clone(), entry.value.clone()])
            .collect()
    };
    let short: [(&'static str, Vec<String>); 5] = [
        ("name", vec![egg.name.clone()]),
        ("author", vec![egg.author.clone()]),
        ("docker_images", labelled(&egg.docker_images)),
        (
            "variables.name",
            egg.variables
                .iter()
                .map(|variable| variable.name.clone())
                .collect(),
        ),
        (
            "startup_commands",
            egg.startup_commands
                .iter()
                .map(|command| command.label.clone())
                .collect(),
        ),
    ];
    for (field, texts) in short {
        if texts.iter().any(|text| text.chars().count() > MAX_SHORT) {
            return Err(ImportError::TooLong {
                field,
                limit: MAX_SHORT,
            });
        }
    }
    let commands = egg
        .startup_commands
        .iter()
        .map(|command| command.value.len())
        .max()
        .unwrap_or(0);
    for (field, length) in [
        ("description", egg.description.len()),
        ("startup", commands),
    ] {
        if length > MAX_LONG {
            return Err(ImportError::TooLong {
                field,
                limit: MAX_LONG,
            });
        }
    }
    let counts = [
        ("docker_images", egg.docker_images.len()),
        ("startup_commands", egg.startup_commands.len()),
        ("config.files", egg.config_files.len()),
        ("features", egg.features.as_ref().map_or(0, Vec::len)),
        ("tags", egg.tags.len()),
        ("file_denylist", egg.file_denylist.len()),
    ];
    match counts.into_iter().find(|(_, count)| *count > MAX_ITEMS) {
        Some((field, _)) => Err(ImportError::TooMany(field)),
        None => Ok(()),
    }
}
