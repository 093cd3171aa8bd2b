//! Where values come from, and which of them wins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::settings::{Key, Settings};
use crate::value::Setting;

/// The file that is read when no other is named and it is there.
pub(crate) const DEFAULT_FILE: &str = "hatchery.toml";
/// How every variable of the environment begins.
const PREFIX: &str = "HATCHERY_";
/// Names the file, so it cannot be a key of it.
const FILE_VARIABLE: &str = "HATCHERY_CONFIG";
/// Variables of the project's own tests, which are none of our business.
const TEST_PREFIX: &str = "HATCHERY_TEST_";
/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;
/// A misspelt name is likened to a known one when they differ in at most this many letters.
const MAX_TYPOS: usize = 2;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// On the command line; the flag's name without its dashes.
    Flag(&'static str),
    /// In the environment.
    Environment(String),
    /// In a file.
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Something that is wrong with the settings, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot read the settings in {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// There is no such setting.
    #[error("{source_name}: there is no setting `{name}`{}", did_you_mean(*nearest))]
    Unknown {
        /// The name that is written there.
        name: String,
        /// Where.
        source_name: String,
        /// A known name that looks like it.
        nearest: Option<&'static str>,
    },
    /// The value does not fit.
    #[error("{source_name}: `{value}` is not a valid value of `{name}`: expected {kind}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What is written there.
        value: String,
        /// Where.
        source_name: String,
        /// What would fit.
        kind: &'static str,
    },
}

fn did_you_mean(nearest: Option<&'static str>) -> String {
    nearest
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

/// Values by name, the strongest source first.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// A later entry is stronger.
    values: BTreeMap<&'static str, (Source, String)>,
    unknown: Vec<(Source, String)>,
}

impl Layers {
    /// Collects values from the file, then the environment, then the flags. A file that was named,
    /// by `file` or by `HATCHERY_CONFIG`, must exist; `hatchery.toml` in the working directory may.
    pub fn collect(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Self, Problem> {
        let environment: BTreeMap<String, String> = environment
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        let mut layers = Self::default();
        let named = file
            .map(Path::to_owned)
            .or_else(|| environment.get(FILE_VARIABLE).map(PathBuf::from));
        if let Some(path) = named {
            layers.add_file(&path, &read(&path)?)?;
        } else if Path::new(DEFAULT_FILE).exists() {
            layers.add_file(Path::new(DEFAULT_FILE), &read(Path::new(DEFAULT_FILE))?)?;
        }
        layers.add_environment(environment);
        for (name, value) in flags {
            layers.add(name, Source::Flag(name), value);
        }
        Ok(layers)
    }

    /// Adds the text of a file.
    pub(crate) fn add_file(&mut self, path: &Path, text: &str) -> Result<(), Problem> {
        let table: toml::Table =
            text.parse()
                .map_err(|error: toml::de::Error| Problem::Syntax {
                    path: path.to_owned(),
                    reason: error.to_string().trim_end().to_owned(),
                })?;
        self.add_table("", &table, path);
        Ok(())
    }

    fn add_table(&mut self, section: &str, table: &toml::Table, path: &Path) {
        for (key, value) in table {
            let name = if section.is_empty() {
                key.clone()
            } else {
                format!("{section}.{key}")
            };
            match value {
                toml::Value::Table(inner) if section.is_empty() => self.add_table(key, inner, path),
                value => self.add(&name, Source::File(path.to_owned()), as_text(value)),
            }
        }
    }

    fn add_environment(&mut self, variables: BTreeMap<String, String>) {
        for (variable, value) in variables {
            if variable == FILE_VARIABLE || variable.starts_with(TEST_PREFIX) {
                continue;
            }
            let name = keys()
                .find(|key| variable_of(key.name) == variable)
                .map(|key| key.name);
            self.add(
                name.unwrap_or(&variable),
                Source::Environment(variable.clone()),
                value,
            );
        }
    }

    fn add(&mut self, name: &str, source: Source, value: String) {
        // Flags are spelt with dashes.
        let spelling = name.replace('-', "_");
        match keys().find(|key| key.name == spelling) {
            Some(key) => {
                self.values.insert(key.name, (source, value));
            }
            None => self.unknown.push((source, name.to_owned())),
        }
    }

    /// A value of the strongest source, else the default. What is wrong with it goes to `problems`.
    pub(crate) fn read<T: Setting>(
        &self,
        name: &'static str,
        default: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let value = self.values.get(name);
        let read = T::read(value.map_or(default, |(_, value)| value));
        if read.is_none() {
            let (source_name, value) = match value {
                Some((source, value)) => (source.to_string(), value.clone()),
                None => ("the default".to_owned(), default.to_owned()),
            };
            problems.push(Problem::Value {
                name,
                value,
                source_name,
                kind: T::KIND,
            });
        }
        read
    }

    /// Names that no setting has: in a file or on the command line.
    pub(crate) fn misspelt(&self) -> Vec<Problem> {
        self.unknown_from(|source| !matches!(source, Source::Environment(_)))
    }

    /// Variables of the environment that look like settings and are none. They are worth a warning
    /// and no more, since the environment is shared with other programs.
    pub fn stray_variables(&self) -> Vec<Problem> {
        self.unknown_from(|source| matches!(source, Source::Environment(_)))
    }

    fn unknown_from(&self, wanted: impl Fn(&Source) -> bool) -> Vec<Problem> {
        self.unknown
            .iter()
            .filter(|(source, _)| wanted(source))
            .map(|(source, name)| Problem::Unknown {
                name: name.clone(),
                source_name: source.to_string(),
                nearest: nearest(name),
            })
            .collect()
    }
}

/// The variable of the environment that stands for a setting.
pub(crate) fn variable_of(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('.', "_").to_ascii_uppercase())
}

fn keys() -> impl Iterator<Item = &'static Key> {
    Settings::SECTIONS.iter().flat_map(|section| section.keys)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the settings are a file of the machine, not of a server"
)]
fn read(path: &Path) -> Result<String, Problem> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
        .map_err(|error| Problem::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
    Ok(text)
}

/// A value of a file as it would be written in the environment.
fn as_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(entries) => entries.iter().map(as_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The known name that looks most like a misspelt one.
fn nearest(name: &str) -> Option<&'static str> {
    let plain = name
        .strip_prefix(PREFIX)
        .unwrap_or(name)
        .to_ascii_lowercase()
        .replace('.', "_");
    keys()
        .map(|key| (distance(&plain, &key.name.replace('.', "_")), key.name))
        .min()
        .filter(|(distance, name)| *distance <= MAX_TYPOS.min(name.len() / 3))
        .map(|(_, name)| name)
}

/// How many letters must be added, removed or replaced to turn one text into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (column, target) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *target);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use hatchery_vocab::MiB;

    use super::*;
    use crate::RuntimeChoice;

    fn layers(file: &str, environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Layers {
        let mut layers = Layers::default();
        layers.add_file(Path::new("hatchery.toml"), file).unwrap();
        layers.add_environment(
            environment
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
        );
        for (name, value) in flags {
            layers.add(name, Source::Flag(name), (*value).to_owned());
        }
        layers
    }

    fn problems(layers: &Layers) -> Vec<String> {
        Settings::from_layers(layers)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn without_any_source_the_defaults_hold() {
        let settings = Settings::from_layers(&Layers::default()).unwrap();
        assert_eq!(settings.data_dir, Path::new("./data"));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.rate_limit.per_minute, 240);
        assert_eq!(settings.url, None);
        assert_eq!(settings.node.runtime, RuntimeChoice::Auto);
        assert_eq!(settings.node.ports.ranges().len(), 1);
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file() {
        let file = "listen = '127.0.0.1:1'\n[node]\nupload_limit = 1\nruntime = 'process'\nports = [7, '9-10']";
        let environment = [
            ("HATCHERY_LISTEN", "127.0.0.1:2"),
            ("HATCHERY_NODE_UPLOAD_LIMIT", "2"),
            ("HATCHERY_TEST_POSTGRES", "x"),
            ("HATCHERY_CONFIG", "x"),
        ];
        let layers = layers(
            file,
            &environment,
            &[("listen", "127.0.0.1:3"), ("data-dir", "/srv")],
        );
        let settings = Settings::from_layers(&layers).unwrap();
        assert_eq!(settings.listen.port(), 3);
        assert_eq!(settings.data_dir, Path::new("/srv"));
        assert_eq!(settings.node.upload_limit, MiB::new(2));
        assert_eq!(settings.node.runtime, RuntimeChoice::Process);
        assert_eq!(settings.node.ports.ranges().len(), 2);
        assert_eq!(layers.stray_variables(), []);
    }

    #[test]
    fn every_mistake_is_named_at_once_with_its_place_and_remedy() {
        let file = "lisen = 'x'\ntwo_factor = true\n[nod]\nruntime = 'auto'\n[node]\nupload_limit = -1\n[node.deep]\nx = 1";
        let layers = layers(file, &[("HATCHERY_RATE_LIMIT_PER_MINUTE", "many")], &[]);
        assert_eq!(
            problems(&layers),
            [
                "hatchery.toml: there is no setting `lisen`; did you mean `listen`?",
                "hatchery.toml: there is no setting `nod.runtime`; did you mean `node.runtime`?",
                "hatchery.toml: there is no setting `node.deep`",
                "hatchery.toml: `true` is not a valid value of `two_factor`: expected one of none, admins, everybody",
                "environment variable HATCHERY_RATE_LIMIT_PER_MINUTE: `many` is not a valid value of \
                 `rate_limit.per_minute`: expected a whole number",
                "hatchery.toml: `-1` is not a valid value of `node.upload_limit`: expected a whole number of MiB",
            ]
        );
    }

    #[test]
    fn a_stray_variable_is_no_error() {
        let layers = layers(
            "",
            &[
                ("HATCHERY_NODE_RUNTIM", "x"),
                ("HATCHERY_FAVOURITE_COLOUR", "x"),
            ],
            &[],
        );
        assert!(Settings::from_layers(&layers).is_ok());
        let warnings: Vec<_> = layers
            .stray_variables()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            warnings,
            [
                "environment variable HATCHERY_FAVOURITE_COLOUR: there is no setting `HATCHERY_FAVOURITE_COLOUR`",
                "environment variable HATCHERY_NODE_RUNTIM: there is no setting `HATCHERY_NODE_RUNTIM`; \
                 did you mean `node.runtime`?",
            ]
        );
    }

    #[test]
    fn a_named_file_must_be_there_and_be_toml() {
        let missing =
            Layers::collect(Some(Path::new("/nonexistent/hatchery.toml")), [], []).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("cannot read the settings in /nonexistent/hatchery.toml: ")
        );
        let broken = Layers::default()
            .add_file(Path::new("h.toml"), "a = ")
            .unwrap_err();
        assert!(
            broken.to_string().starts_with("h.toml is not valid TOML: "),
            "{broken}"
        );
    }

    #[test]
    fn the_distance_counts_letters() {
        for (one, other, letters) in [
            ("", "", 0),
            ("abc", "", 3),
            ("abc", "abd", 1),
            ("lisen", "listen", 1),
        ] {
            assert_eq!(distance(one, other), letters);
        }
    }
}
