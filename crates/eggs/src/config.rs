//! The parts of an egg that are written as JSON within a string: files to edit, and how to see that
//! the game is ready.

use hatchery_configfile::Parser;
use serde_json::{Map, Value};

use crate::lenient;

/// A file that is edited before each start.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigFile {
    /// Its path in the server's folder.
    pub file: String,
    /// The name of its format, such as `properties`.
    pub parser: String,
    /// What to set, in order.
    pub find: Vec<Find>,
}

/// One thing to set in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Find {
    /// A key, a dotted path or the start of a line.
    pub path: String,
    /// Set it only where the present value is this; `regex:` starts a pattern.
    pub if_value: Option<String>,
    /// The new value: text with placeholders, number, boolean or null.
    pub value: Value,
}

impl ConfigFile {
    /// Reads the object of files, `{"server.properties": {"parser": …, "find": {…}}}`, as an object
    /// or as JSON within a string. What is not understood goes to `warnings`.
    pub fn read(value: Option<&Value>, warnings: &mut Vec<String>) -> Vec<Self> {
        let files = match lenient::nested_object(value) {
            Ok(files) => files,
            Err(reason) => {
                warnings.push(format!("config.files {reason}, no file will be edited"));
                return Vec::new();
            }
        };
        let read = |(file, entry): (&String, &Value)| Self::read_one(file, entry, warnings);
        files.iter().filter_map(read).collect()
    }

    fn read_one(file: &str, entry: &Value, warnings: &mut Vec<String>) -> Option<Self> {
        let Some(Value::Object(find)) = entry.get("find") else {
            warnings.push(format!(
                "config.files: {file} has no `find`, it will not be edited"
            ));
            return None;
        };
        let parser = entry
            .get("parser")
            .and_then(Value::as_str)
            .unwrap_or("file");
        if Parser::from_name(parser).is_none() {
            warnings.push(format!(
                "config.files: {file} has a parser that no node knows, it will not be edited"
            ));
        }
        let mut wanted = Vec::new();
        for (path, value) in find {
            let path = lenient::clean(path);
            match value {
                Value::Object(by_value) => wanted.extend(by_value.iter().map(|(old, new)| Find {
                    path: path.clone(),
                    if_value: Some(lenient::clean(old)),
                    value: scalar(new),
                })),
                Value::Array(_) => {
                    warnings.push(format!(
                        "config.files: {file}: the value of `{path}` is a list, it is left out"
                    ));
                }
                _ => wanted.push(Find {
                    path,
                    if_value: None,
                    value: scalar(value),
                }),
            }
        }
        Some(Self {
            file: lenient::clean(file),
            parser: parser.to_owned(),
            find: wanted,
        })
    }

    /// Writes what [`Self::read`] reads.
    pub fn write(files: &[Self]) -> Value {
        let entries = files.iter().map(|file| {
            let mut find = Map::new();
            for Find {
                path,
                if_value,
                value,
            } in &file.find
            {
                match if_value {
                    None => {
                        find.insert(path.clone(), value.clone());
                    }
                    Some(old) => {
                        let by_value = find
                            .entry(path.clone())
                            .or_insert_with(|| Value::Object(Map::new()));
                        if let Value::Object(by_value) = by_value {
                            by_value.insert(old.clone(), value.clone());
                        }
                    }
                }
            }
            let entry = serde_json::json!({"parser": file.parser, "find": find});
            (file.file.clone(), entry)
        });
        Value::Object(entries.collect())
    }
}

/// A replacement is a scalar; a structure has no meaning there.
fn scalar(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(lenient::clean(text)),
        Value::Array(_) | Value::Object(_) => Value::Null,
        other => other.clone(),
    }
}

/// How to see that a game is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Startup {
    /// Texts of which one appears on the console; `regex:` starts a pattern. With none, the game
    /// counts as ready as soon as it runs.
    pub done: Vec<String>,
    /// Whether colours are removed from the console before looking.
    pub strip_ansi: bool,
}

impl Startup {
    /// Reads `{"done": "…"}`, as an object or as JSON within a string. What is not understood goes
    /// to `warnings`.
    pub fn read(value: Option<&Value>, warnings: &mut Vec<String>) -> Self {
        match lenient::nested_object(value) {
            Ok(object) => Self {
                done: match object.get("done") {
                    Some(Value::String(text)) if text.is_empty() => Vec::new(),
                    // One text, even when it has several lines.
                    Some(Value::String(text)) => vec![lenient::clean(text)],
                    Some(other) => lenient::texts(other),
                    None => Vec::new(),
                },
                strip_ansi: lenient::flag_at(&object, "strip_ansi"),
            },
            Err(reason) => {
                warnings.push(format!(
                    "config.startup {reason}, the game will count as ready at once"
                ));
                Self::default()
            }
        }
    }

    /// Writes what [`Self::read`] reads.
    pub fn write(&self) -> Value {
        let mut object = Map::new();
        let done = match self.done.as_slice() {
            [one] => Value::from(one.as_str()),
            several => Value::from(several.to_vec()),
        };
        object.insert("done".to_owned(), done);
        if self.strip_ansi {
            object.insert("strip_ansi".to_owned(), Value::Bool(true));
        }
        Value::Object(object)
    }
}
