//! YAML, and what must be known of a stranger's YAML before a parser may see it.

use serde_json::Value;

use crate::tree::{self, Present, Tree, typed};
use crate::{EditError, Replacement};

/// The most brackets that may be open at once, since the time that the parser needs grows with
/// their number at every token.
const MAX_FLOW_DEPTH: usize = 256;

/// The most bytes to which references may blow a file up.
const MAX_EXPANDED: usize = 8 << 20;

/// Says why a text must not be parsed as YAML: too deep, or references that would expand it beyond
/// all measure. The parser itself bounds neither well enough.
pub fn danger(text: &str) -> Option<String> {
    if flow_depth(text) > MAX_FLOW_DEPTH {
        return Some(format!(
            "more than {MAX_FLOW_DEPTH} brackets are open at once"
        ));
    }
    // References multiply most when three stand at each level, so `n` of them make a text at most
    // three to the power of a third of `n` times as long.
    let factor = u32::try_from(references(text).div_ceil(3))
        .ok()
        .and_then(|power| 3_usize.checked_pow(power));
    let expanded = factor.and_then(|factor| factor.checked_mul(text.len()));
    if expanded.is_none_or(|expanded| expanded > MAX_EXPANDED && expanded > text.len()) {
        return Some("it has too many references (`*name`)".to_owned());
    }
    None
}

/// How many brackets and braces are open at most at a time, those within texts included.
fn flow_depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// How many references there may be: names behind `*` that also stand behind `&`, both where a
/// token can begin.
fn references(text: &str) -> usize {
    let names = |sign: char| {
        text.match_indices(sign).filter_map(move |(at, _)| {
            let before = text[..at].chars().next_back().unwrap_or(' ');
            let behind = &text[at + 1..];
            let end = behind
                .find(|char: char| char.is_whitespace() || ",[]{}:".contains(char))
                .unwrap_or(behind.len());
            let begins = before.is_whitespace() || ",[{:-?".contains(before);
            (begins && end > 0).then(|| &behind[..end])
        })
    };
    let anchors: std::collections::HashSet<&str> = names('&').collect();
    if anchors.is_empty() {
        return 0;
    }
    names('*').filter(|name| anchors.contains(name)).count()
}

/// Edits YAML. Entries keep their order and scalars their type; comments are lost.
pub(crate) fn edit(text: &str, replacements: &[Replacement]) -> Result<String, EditError> {
    let syntax = |reason: String| EditError::Syntax {
        format: "YAML",
        reason,
    };
    if let Some(danger) = danger(text) {
        return Err(syntax(danger));
    }
    let mut root: yaml_serde::Value = if text.trim().is_empty() {
        yaml_serde::Value::Null
    } else {
        yaml_serde::from_str(text).map_err(|error| syntax(error.to_string()))?
    };
    tree::edit(&mut root, replacements)?;
    if root.is_null() {
        return Ok(text.to_owned());
    }
    yaml_serde::to_string(&root).map_err(|error| syntax(error.to_string()))
}

/// Whether a key that need not be text reads as this text.
fn reads_as(key: &yaml_serde::Value, text: &str) -> bool {
    match key {
        yaml_serde::Value::String(key) => key == text,
        yaml_serde::Value::Number(number) => number.to_string() == text,
        yaml_serde::Value::Bool(yes) => yes.to_string() == text,
        _ => false,
    }
}

impl Tree for yaml_serde::Value {
    fn object() -> Self {
        Self::Mapping(yaml_serde::Mapping::new())
    }

    fn list_of_one() -> Self {
        Self::Sequence(vec![Self::object()])
    }

    fn is_nothing(&self) -> bool {
        self.is_null()
    }

    fn is_object(&self) -> bool {
        self.is_mapping()
    }

    fn entry(&mut self, key: &str) -> Option<&mut Self> {
        let entries = self.as_mapping_mut()?;
        entries
            .iter_mut()
            .find(|(name, _)| reads_as(name, key))
            .map(|(_, value)| value)
    }

    fn insert(&mut self, key: &str, value: Self) {
        if let Self::Mapping(entries) = self {
            match entries.iter_mut().find(|(name, _)| reads_as(name, key)) {
                Some((_, present)) => *present = value,
                None => drop(entries.insert(Self::String(key.to_owned()), value)),
            }
        }
    }

    fn items(&mut self) -> Option<&mut Vec<Self>> {
        self.as_sequence_mut()
    }

    fn children(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Sequence(items) => items.iter_mut().collect(),
            Self::Mapping(entries) => entries.iter_mut().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        }
    }

    fn present(&self) -> String {
        match self {
            Self::String(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Bool(yes) => yes.to_string(),
            Self::Tagged(tagged) => tagged.value.present(),
            Self::Null | Self::Sequence(_) | Self::Mapping(_) => String::new(),
        }
    }

    fn replaced(&self, new: &Value) -> Self {
        let present = match self {
            Self::String(_) => Present::Text,
            Self::Bool(_) => Present::Boolean,
            Self::Number(number) if number.is_f64() => Present::Fraction,
            _ => Present::Other,
        };
        match typed(&present, new) {
            Value::Bool(yes) => Self::Bool(yes),
            Value::Number(number) => yaml_serde::to_value(number).unwrap_or(Self::Null),
            Value::String(text) => Self::String(text),
            Value::Null | Value::Array(_) | Value::Object(_) => Self::Null,
        }
    }
}
