//! Formats that are trees: one set of path rules for JSON, YAML and TOML.

use serde_json::Value;

use crate::scalar::Condition;
use crate::{EditError, Replacement};

/// A node of a format's tree.
pub(crate) trait Tree: Sized {
    /// An object without entries.
    fn object() -> Self;
    /// A list of one empty object.
    fn list_of_one() -> Self;
    /// Whether the node stands for nothing.
    fn is_nothing(&self) -> bool;
    /// Whether the node is an object.
    fn is_object(&self) -> bool;
    /// The entry of an object.
    fn entry(&mut self, key: &str) -> Option<&mut Self>;
    /// Adds an entry to an object.
    fn insert(&mut self, key: &str, value: Self);
    /// The items of a list.
    fn items(&mut self) -> Option<&mut Vec<Self>>;
    /// The items of a list or the values of an object.
    fn children(&mut self) -> Vec<&mut Self>;
    /// What is compared with a condition.
    fn present(&self) -> String;
    /// A new scalar in place of this node.
    fn replaced(&self, new: &Value) -> Self;
}

/// What a new value becomes where one of this kind stands.
pub(crate) enum Present {
    /// Text, which stays text.
    Text,
    /// A boolean, which text can spell.
    Boolean,
    /// A number with a fraction, which text can spell.
    Fraction,
    /// Anything else.
    Other,
}

/// A new value: text becomes a number or a boolean where one stood before, and an integer where
/// nothing stood and it spells one without leading zeros.
pub(crate) fn typed(present: &Present, new: &Value) -> Value {
    let Value::String(text) = new else {
        return new.clone();
    };
    let integer = || {
        let parsed: i64 = text.parse().ok()?;
        (parsed.to_string() == *text).then(|| Value::from(parsed))
    };
    let spelled = match present {
        Present::Text => None,
        Present::Boolean => text.parse::<bool>().ok().map(Value::from).or_else(integer),
        Present::Fraction => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Value::from),
        Present::Other => integer(),
    };
    spelled.unwrap_or_else(|| new.clone())
}

/// Applies the replacements to a tree.
pub(crate) fn edit<T: Tree>(root: &mut T, replacements: &[Replacement]) -> Result<(), EditError> {
    for replacement in replacements {
        let condition = Condition::of(replacement)?;
        let steps = steps(&replacement.path);
        if root.is_nothing() && condition.allows_missing() && steps.first() != Some(&Step::Every) {
            *root = T::object();
        }
        set(root, &steps, &condition, &replacement.value).map_err(|reason| EditError::Path {
            path: replacement.path.clone(),
            reason,
        })?;
    }
    Ok(())
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    Every,
}

/// The steps of a path: `a.0.b`, `a[0].b` and `a.*.b`.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for segment in path.split('.') {
        if segment == "*" {
            steps.push(Step::Every);
            continue;
        }
        let (name, indexes) = split_indexes(segment);
        if !name.is_empty() || indexes.is_empty() {
            steps.push(Step::Key(name.to_owned()));
        }
        steps.extend(indexes.into_iter().map(Step::Index));
    }
    steps
}

/// `name[1][2]` as the name and its indexes. What is not of this form is a name.
fn split_indexes(segment: &str) -> (&str, Vec<usize>) {
    let Some((name, mut rest)) = segment.find('[').map(|at| segment.split_at(at)) else {
        return (segment, Vec::new());
    };
    let mut indexes = Vec::new();
    while let Some((index, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let Ok(index) = index.parse() else {
            return (segment, Vec::new());
        };
        indexes.push(index);
        rest = behind;
    }
    if rest.is_empty() {
        (name, indexes)
    } else {
        (segment, Vec::new())
    }
}

fn set<T: Tree>(
    node: &mut T,
    steps: &[Step],
    condition: &Condition,
    new: &Value,
) -> Result<(), &'static str> {
    let Some((step, rest)) = steps.split_first() else {
        if let Some(new) = condition.apply(&node.present(), new) {
            *node = node.replaced(&new);
        }
        return Ok(());
    };
    match step {
        Step::Every => node
            .children()
            .into_iter()
            .try_for_each(|child| set(child, rest, condition, new)),
        Step::Index(index) => match node.items() {
            Some(items) => match items.get_mut(*index) {
                Some(item) => set(item, rest, condition, new),
                None if condition.allows_missing() => Err("the list is shorter"),
                None => Ok(()),
            },
            None if !condition.allows_missing() => Ok(()),
            None => Err("there is no list"),
        },
        Step::Key(key) => {
            // A number also counts the items of a list.
            if let (Ok(index), Some(_)) = (key.parse(), node.items()) {
                let mut steps = vec![Step::Index(index)];
                steps.extend_from_slice(rest);
                return set(node, &steps, condition, new);
            }
            set_entry(node, key, rest, condition, new)
        }
    }
}

fn set_entry<T: Tree>(
    node: &mut T,
    key: &str,
    rest: &[Step],
    condition: &Condition,
    new: &Value,
) -> Result<(), &'static str> {
    if !node.is_object() {
        return if condition.allows_missing() {
            Err("something else than an object is in its way")
        } else {
            Ok(())
        };
    }
    let missing = node
        .entry(key)
        .is_none_or(|entry| entry.is_nothing() && !rest.is_empty());
    if missing {
        // A condition needs something to look at, and a wildcard something to walk over.
        if !condition.allows_missing() || rest.contains(&Step::Every) {
            return Ok(());
        }
        let value = match rest.first() {
            Some(Step::Index(0)) => T::list_of_one(),
            Some(Step::Index(_)) => return Err("the list is shorter"),
            _ => T::object(),
        };
        let value = if rest.is_empty() {
            value.replaced(new)
        } else {
            value
        };
        node.insert(key, value);
        if rest.is_empty() {
            return Ok(());
        }
    }
    match node.entry(key) {
        Some(entry) => set(entry, rest, condition, new),
        None => Ok(()),
    }
}

/// Edits JSON. Entries keep their order; a missing file starts as an empty object.
pub(crate) fn edit_json(text: &str, replacements: &[Replacement]) -> Result<String, EditError> {
    let syntax = |error: serde_json::Error| EditError::Syntax {
        format: "JSON",
        reason: error.to_string(),
    };
    let mut root: Value = if text.trim().is_empty() {
        Value::Null
    } else {
        serde_json::from_str(text).map_err(syntax)?
    };
    edit(&mut root, replacements)?;
    let mut out = Vec::with_capacity(text.len());
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    serde::Serialize::serialize(&root, &mut serializer).map_err(syntax)?;
    out.push(b'\n');
    String::from_utf8(out).map_err(|_| EditError::NotText)
}

/// Edits TOML. Entries keep their order; comments are lost.
pub(crate) fn edit_toml(text: &str, replacements: &[Replacement]) -> Result<String, EditError> {
    let syntax = |reason: String| EditError::Syntax {
        format: "TOML",
        reason,
    };
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| syntax(error.message().to_owned()))?;
    let mut root = toml::Value::Table(table);
    edit(&mut root, replacements)?;
    toml::to_string_pretty(&root).map_err(|error| syntax(error.to_string()))
}

impl Tree for Value {
    fn object() -> Self {
        Self::Object(serde_json::Map::new())
    }

    fn list_of_one() -> Self {
        Self::Array(vec![Self::object()])
    }

    fn is_nothing(&self) -> bool {
        self.is_null()
    }

    fn is_object(&self) -> bool {
        self.is_object()
    }

    fn entry(&mut self, key: &str) -> Option<&mut Self> {
        self.as_object_mut()?.get_mut(key)
    }

    fn insert(&mut self, key: &str, value: Self) {
        if let Self::Object(entries) = self {
            entries.insert(key.to_owned(), value);
        }
    }

    fn items(&mut self) -> Option<&mut Vec<Self>> {
        self.as_array_mut()
    }

    fn children(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Array(items) => items.iter_mut().collect(),
            Self::Object(entries) => entries.values_mut().collect(),
            _ => Vec::new(),
        }
    }

    fn present(&self) -> String {
        crate::scalar::text(self)
    }

    fn replaced(&self, new: &Value) -> Self {
        let present = match self {
            Self::String(_) => Present::Text,
            Self::Bool(_) => Present::Boolean,
            Self::Number(number) if number.is_f64() => Present::Fraction,
            _ => Present::Other,
        };
        typed(&present, new)
    }
}

impl Tree for toml::Value {
    fn object() -> Self {
        Self::Table(toml::Table::new())
    }

    fn list_of_one() -> Self {
        Self::Array(vec![Self::object()])
    }

    fn is_nothing(&self) -> bool {
        false
    }

    fn is_object(&self) -> bool {
        self.is_table()
    }

    fn entry(&mut self, key: &str) -> Option<&mut Self> {
        self.as_table_mut()?.get_mut(key)
    }

    fn insert(&mut self, key: &str, value: Self) {
        if let Self::Table(entries) = self {
            entries.insert(key.to_owned(), value);
        }
    }

    fn items(&mut self) -> Option<&mut Vec<Self>> {
        self.as_array_mut()
    }

    fn children(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Array(items) => items.iter_mut().collect(),
            Self::Table(entries) => entries.iter_mut().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        }
    }

    fn present(&self) -> String {
        match self {
            Self::String(text) => text.clone(),
            Self::Array(_) | Self::Table(_) => String::new(),
            other => other.to_string(),
        }
    }

    fn replaced(&self, new: &Value) -> Self {
        let present = match self {
            Self::String(_) => Present::Text,
            Self::Boolean(_) => Present::Boolean,
            Self::Float(_) => Present::Fraction,
            _ => Present::Other,
        };
        match typed(&present, new) {
            Value::Bool(yes) => Self::Boolean(yes),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Integer(whole),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            },
            // TOML has no null.
            other => Self::String(crate::scalar::text(&other)),
        }
    }
}
