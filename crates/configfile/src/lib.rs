//! Edits game configuration files, as node-protocol.md §5.8 intends it.
//!
//! [`edit`] is a pure function from the bytes of a file and a list of [`Replacement`]s to new
//! bytes. It knows formats, not files: whoever calls it opens the file safely and writes it back.
//! The files belong to the people who rent a server, so every format is measured before it is
//! parsed, and nothing here panics or recurses without a limit.

mod ini;
mod lines;
mod placeholder;
mod properties;
mod scalar;
mod tree;
mod xml;
pub mod yaml;

use serde_json::Value;

/// The largest file that is edited, in bytes.
pub const MAX_FILE: usize = 4 << 20;

/// One change of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Replacement {
    /// Where: a key, a dotted path or the start of a line.
    pub path: String,
    /// Only where the present value is this. After `regex:` stands a pattern that the present value
    /// must match; what it matches is replaced, and `$1` in the new value is its first group.
    pub if_value: Option<String>,
    /// The new value: text, number, boolean or null.
    pub value: Value,
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parser {
    /// Lines that start with some text.
    File,
    /// Java's `key=value`.
    Properties,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// Sections of `key = value`.
    Ini,
    /// XML.
    Xml,
    /// TOML.
    Toml,
}

impl Parser {
    /// The format by its name in eggs; `None` for a name that no daemon knows.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "file" => Self::File,
            "properties" => Self::Properties,
            "yaml" | "yml" => Self::Yaml,
            "json" => Self::Json,
            "ini" => Self::Ini,
            "xml" => Self::Xml,
            "toml" => Self::Toml,
            _ => return None,
        })
    }
}

/// Why a file is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file is too large.
    #[error("the file has {0} bytes; at most {MAX_FILE} are edited")]
    TooLarge(usize),
    /// The file is not UTF-8.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// The file is not of its format.
    #[error("the file is not valid {format}: {reason}")]
    Syntax {
        /// The format's name.
        format: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// A path leads nowhere.
    #[error("the path `{path}` cannot be set: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is in its way.
        reason: &'static str,
    },
    /// A pattern does not compile.
    #[error("the pattern `{0}` does not compile")]
    Pattern(String),
}

/// Applies the replacements in order and returns the new file. Without an existing file one is
/// made. `interface` is the address that `{{config.docker.interface}}` stands for; every other
/// placeholder of the `config.` family stands for nothing.
///
/// # Errors
/// Says why the file must stay as it is.
pub fn edit(
    parser: Parser,
    existing: Option<&[u8]>,
    replacements: &[Replacement],
    interface: &str,
) -> Result<Vec<u8>, EditError> {
    let existing = existing.unwrap_or_default();
    if existing.len() > MAX_FILE {
        return Err(EditError::TooLarge(existing.len()));
    }
    let text = std::str::from_utf8(existing).map_err(|_| EditError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let replacements: Vec<Replacement> = replacements
        .iter()
        .map(|replacement| placeholder::resolved(replacement, interface))
        .collect();
    let edited = match parser {
        Parser::File => lines::edit(text, &replacements),
        Parser::Properties => properties::edit(text, &replacements)?,
        Parser::Ini => ini::edit(text, &replacements),
        Parser::Json => tree::edit_json(text, &replacements)?,
        Parser::Yaml => yaml::edit(text, &replacements)?,
        Parser::Toml => tree::edit_toml(text, &replacements)?,
        Parser::Xml => xml::edit(text, &replacements)?,
    };
    Ok(edited.into_bytes())
}
