//! The neutral form of an egg.

use hatchery_vocab::EggUuid;

use crate::config::{ConfigFile, Startup};
use crate::stop::Stop;

/// How one game is installed, started, recognised as ready, configured and stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Egg {
    /// Identity for importing again; formats before Pelican's have none.
    pub uuid: Option<EggUuid>,
    /// The game.
    pub name: String,
    /// Who wrote the egg, usually an e-mail address.
    pub author: String,
    /// A few words for people.
    pub description: String,
    /// The format's version tag in the file that it came from.
    pub source_format: String,
    /// Where newer versions of the file are found.
    pub update_url: Option<String>,
    /// A picture as a `data:` address.
    pub icon: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Switches for the helpers of a user interface, such as `eula`; `None` inherits.
    pub features: Option<Vec<String>>,
    /// Images by label. The first is the default; there may be none.
    pub docker_images: Vec<Labelled>,
    /// Patterns in the syntax of gitignore of files that people may not touch.
    pub file_denylist: Vec<String>,
    /// Start lines by label. The first is the default.
    pub startup_commands: Vec<Labelled>,
    /// Files to edit before each start.
    pub config_files: Vec<ConfigFile>,
    /// How to see that the game is ready.
    pub startup: Startup,
    /// How it is asked to stop.
    pub stop: Stop,
    /// How it is installed, if there is anything to install.
    pub install: Option<Install>,
    /// What people can set, in the order in which it is shown.
    pub variables: Vec<Variable>,
}

impl Egg {
    /// The default start line, with its `{{NAME}}` placeholders.
    pub fn start_line(&self) -> &str {
        self.startup_commands
            .first()
            .map_or("", |command| &command.value)
    }
}

/// A value that people pick by its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// What people see.
    pub label: String,
    /// What is used.
    pub value: String,
}

/// The installation of a game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Install {
    /// The text of the script. It finds the server's folder at `/mnt/server`.
    pub script: String,
    /// The image in which it runs.
    pub container: String,
    /// The program that runs it.
    pub entrypoint: String,
}

/// Something that people can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// What people see.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its name in the environment and in start lines: ASCII letters, digits and underscores.
    pub env_variable: String,
    /// Its value where a server has none of its own.
    pub default_value: String,
    /// Whether people other than administrators see it.
    pub user_viewable: bool,
    /// Whether people other than administrators change it.
    pub user_editable: bool,
    /// Its rules as one rule string.
    pub rules: String,
    /// The kind of input that shows it, usually `text`.
    pub field_type: String,
}
