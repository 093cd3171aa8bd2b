//! Rules for the fields of a request.

use serde_json::Value;

use crate::check::Subject;
use crate::parse::RuleSet;
use crate::rule::Rule;
use crate::sentence::{Kind, sentence};
use crate::value::lookup;

/// How many errors are collected before the rest of the input goes unchecked, so that a short list
/// of bad items does not become a long answer.
const MAX_ERRORS: usize = 500;

/// One failed rule of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The dotted name of the input, `files.0.to`.
    pub field: String,
    /// The rule's name, or nothing for a check that is not a rule.
    pub rule: &'static str,
    /// The sentence.
    pub detail: String,
}

impl FieldError {
    /// An error with a sentence of the caller's.
    pub fn new(field: impl Into<String>, rule: &'static str, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            rule,
            detail: detail.into(),
        }
    }

    /// An error of a check that is not a rule.
    pub fn custom(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(field, "", detail)
    }

    /// The rule `unique`, which only a database can check.
    pub fn taken(field: &str) -> Self {
        Self::new(
            field,
            "unique",
            format!("The {} has already been taken.", display_name(field)),
        )
    }

    /// The rule `exists`, which only a database can check.
    pub fn selected(field: &str) -> Self {
        Self::new(
            field,
            "exists",
            format!("The selected {} is invalid.", display_name(field)),
        )
    }
}

/// The fields of a request with their rules, in the order in which errors are told.
///
/// Meant to be built once, in a `LazyLock`.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<Field>);

#[derive(Clone, Debug)]
struct Field {
    name: String,
    label: String,
    kind: Kind,
    rules: RuleSet,
}

impl Fields {
    /// No fields yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field by its rule string. A `*` in the name stands for every item of a list.
    #[must_use]
    pub fn field(self, name: &str, rules: &str) -> Self {
        self.rules(name, RuleSet::parse(rules))
    }

    /// Adds a field by a rule set.
    #[must_use]
    pub fn rules(mut self, name: &str, rules: RuleSet) -> Self {
        self.0.push(Field {
            name: name.to_owned(),
            label: display_name(name),
            kind: Kind::of(&rules.rules),
            rules,
        });
        self
    }

    /// The rules that were not understood, each behind its field's name: for a test of the caller's
    /// declarations.
    pub fn problems(&self) -> Vec<String> {
        let of = |field: &Field| {
            field
                .rules
                .problems()
                .iter()
                .map(|problem| format!("{}: {problem}", field.name))
                .collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of).collect()
    }

    /// Checks an input; what is not an object counts as an empty one (client-api.md §1.11).
    ///
    /// # Errors
    /// Every failed rule, grouped by field in the order of the declarations.
    pub fn check(&self, input: &Value) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        for field in &self.0 {
            if field.name.contains('*') {
                let names = expand(input, &field.name);
                for name in &names {
                    if errors.len() >= MAX_ERRORS {
                        break;
                    }
                    // An input reached by a wildcard is called by its raw name (client-api.md §2.2).
                    field.check(input, name, name, &names, &mut errors);
                }
            } else {
                field.check(input, &field.name, &field.label, &[], &mut errors);
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

impl Field {
    fn check(
        &self,
        root: &Value,
        name: &str,
        label: &str,
        siblings: &[String],
        errors: &mut Vec<FieldError>,
    ) {
        check_field(&self.rules, self.kind, root, name, label, siblings, errors);
    }
}

impl RuleSet {
    /// Checks one value under a name, as for an egg's variable.
    ///
    /// # Errors
    /// Every failed rule, in the order of the rules.
    pub fn check_value(&self, name: &str, value: &Value) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut root = serde_json::Map::new();
        root.insert(name.to_owned(), value.clone());
        let root = Value::Object(root);
        check_field(
            self,
            Kind::of(&self.rules),
            &root,
            name,
            &display_name(name),
            &[],
            &mut errors,
        );
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

fn check_field(
    set: &RuleSet,
    kind: Kind,
    root: &Value,
    name: &str,
    label: &str,
    siblings: &[String],
    errors: &mut Vec<FieldError>,
) {
    let rules = &set.rules;
    let value = lookup(root, name);
    let has = |wanted: fn(&Rule) -> bool| rules.iter().any(wanted);
    if value.is_none() && has(|rule| matches!(rule, Rule::Sometimes)) {
        return;
    }
    let null_passes =
        value.is_none_or(Value::is_null) && has(|rule| matches!(rule, Rule::Nullable));
    let empty = value.is_none_or(|value| value.as_str().is_some_and(|text| text.trim().is_empty()));
    let stop_at_first = has(|rule| matches!(rule, Rule::Bail));
    let subject = Subject {
        root,
        field: name,
        value,
        as_number: kind == Kind::Number,
        as_list: kind == Kind::List,
        siblings,
    };
    for rule in rules {
        let skipped = !rule.is_implicit() && (empty || null_passes);
        if skipped || rule.holds(&subject) {
            continue;
        }
        errors.push(FieldError::new(
            name,
            rule.name(),
            sentence(rule, label, kind, &subject),
        ));
        if stop_at_first || rule.is_implicit() {
            return;
        }
    }
}

/// The names that a pattern such as `files.*.to` reaches. What stands before the last `*` must
/// exist; the rest need not, so that a missing key is noticed.
pub(crate) fn expand(root: &Value, pattern: &str) -> Vec<String> {
    let mut reached = vec![(String::new(), Some(root))];
    for segment in pattern.split('.') {
        let mut next = Vec::new();
        for (name, value) in reached {
            let join = |segment: &str| {
                if name.is_empty() {
                    segment.to_owned()
                } else {
                    format!("{name}.{segment}")
                }
            };
            match (segment, value) {
                ("*", Some(Value::Array(items))) => {
                    next.extend(
                        items
                            .iter()
                            .enumerate()
                            .map(|(index, item)| (join(&index.to_string()), Some(item))),
                    );
                }
                ("*", Some(Value::Object(entries))) => {
                    next.extend(entries.iter().map(|(key, entry)| (join(key), Some(entry))));
                }
                ("*", _) => {}
                (key, value) => next.push((join(key), value.and_then(|value| lookup(value, key)))),
            }
        }
        reached = next;
    }
    reached.into_iter().map(|(name, _)| name).collect()
}

/// A field's name in a sentence: words in lower case, parted by spaces.
pub(crate) fn display_name(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    for char in field.chars() {
        match char {
            '_' => name.push(' '),
            _ if char.is_uppercase() => {
                if !name.is_empty() && !name.ends_with([' ', '.']) {
                    name.push(' ');
                }
                name.extend(char.to_lowercase());
            }
            _ => name.push(char),
        }
    }
    name
}
