//! Rule strings and lists into rule sets.

use std::fmt;

use crate::rule::Rule;

/// Why a rule of a rule string is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The rule as written.
    pub rule: String,
    /// What is wrong with it, to be read after the rule.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rule `{}` {}", self.rule, self.reason)
    }
}

impl std::error::Error for Problem {}

/// The rules of one field, in the order of their checks.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    problems: Vec<Problem>,
}

impl RuleSet {
    /// Reads a rule string such as `required|string|regex:/^a|b$/`. Rules that are unknown or
    /// cannot be used are left out and listed by [`Self::problems`].
    pub fn parse(text: &str) -> Self {
        Self::from_list(split_rules(text))
    }

    /// Reads rules that are already separate.
    pub fn from_list<'a>(rules: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = Self::default();
        for text in rules.into_iter().filter(|text| !text.trim().is_empty()) {
            match Rule::parse(text) {
                Ok(rule) => set.rules.push(rule),
                Err(problem) => set.problems.push(problem),
            }
        }
        set
    }

    /// These rules and one more.
    #[must_use]
    pub fn and(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The rules that were left out, and why.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// Splits a rule string at its bars, but not within the pattern of `regex` and `not_regex`.
fn split_rules(text: &str) -> Vec<&str> {
    let mut rules = Vec::new();
    let mut rest = text;
    loop {
        let end = pattern_end(rest)
            .or_else(|| rest.find('|'))
            .unwrap_or(rest.len());
        rules.push(&rest[..end]);
        match rest.get(end + 1..) {
            Some(next) => rest = next,
            None => return rules,
        }
    }
}

/// Where a rule with a pattern ends: behind the first closing delimiter that is followed by flags
/// and then a bar or nothing. `None` when the text starts with another rule or the pattern is open.
fn pattern_end(text: &str) -> Option<usize> {
    let (name, pattern) = text.split_once(':')?;
    if !matches!(
        name.trim().to_ascii_lowercase().as_str(),
        "regex" | "not_regex"
    ) {
        return None;
    }
    let start = text.len() - pattern.trim_start().len();
    let mut chars = text[start..].char_indices();
    let close = closing_delimiter(chars.next()?.1)?;
    let mut escaped = false;
    for (index, char) in chars {
        if escaped {
            escaped = false;
        } else if char == '\\' {
            escaped = true;
        } else if char == close {
            let behind = start + index + close.len_utf8();
            let flags = text[behind..]
                .bytes()
                .take_while(u8::is_ascii_alphabetic)
                .count();
            let end = behind + flags;
            if text[end..].is_empty() || text[end..].starts_with('|') {
                return Some(end);
            }
        }
    }
    None
}

/// The delimiter that ends a pattern which this one opens.
pub(crate) const fn closing_delimiter(open: char) -> Option<char> {
    match open {
        '(' => Some(')'),
        '[' => Some(']'),
        '{' => Some('}'),
        '<' => Some('>'),
        '\\' => None,
        _ if open.is_ascii_alphanumeric() || open.is_ascii_whitespace() => None,
        _ => Some(open),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_within_a_pattern_do_not_split() {
        let cases: [(&str, &[&str]); 9] = [
            ("required|string|max:20", &["required", "string", "max:20"]),
            ("", &[""]),
            (
                "required|regex:/^a|b$/|max:20",
                &["required", "regex:/^a|b$/", "max:20"],
            ),
            ("regex:/^(a|b)$/i", &["regex:/^(a|b)$/i"]),
            (r"regex:/a\/|b/|string", &[r"regex:/a\/|b/", "string"]),
            (
                "not_regex:#x|y#u|nullable",
                &["not_regex:#x|y#u", "nullable"],
            ),
            ("regex:{a|b}|string", &["regex:{a|b}", "string"]),
            ("regex:/^[^|]+$/|string", &["regex:/^[^|]+$/", "string"]),
            ("regex:/open|string", &["regex:/open", "string"]),
        ];
        for (text, rules) in cases {
            assert_eq!(split_rules(text), rules, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_reported_and_left_out() {
        let set = RuleSet::parse("required|frobnicate:3||max:x|regex:/(/|string");
        assert_eq!(
            set.rules.iter().map(Rule::name).collect::<Vec<_>>(),
            ["required", "string"]
        );
        let problems: Vec<_> = set
            .problems()
            .iter()
            .map(|problem| problem.rule.as_str())
            .collect();
        assert_eq!(problems, ["frobnicate:3", "max:x", "regex:/(/"]);
        assert_eq!(
            set.problems()[0].to_string(),
            "the rule `frobnicate:3` is not a known rule"
        );
    }
}
