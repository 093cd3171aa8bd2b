//! Java's `key=value` files. Comments, order and the lines that are not touched stay as they are.

use std::fmt::Write as _;

use crate::scalar::{self, Condition};
use crate::{EditError, Replacement};

pub(crate) fn edit(text: &str, replacements: &[Replacement]) -> Result<String, EditError> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines = read(text);
    for replacement in replacements {
        let condition = Condition::of(replacement)?;
        let mut found = false;
        for line in &mut lines {
            let Line::Entry { key, value, source } = line else {
                continue;
            };
            if *key != replacement.path {
                continue;
            }
            found = true;
            if let Some(new) = condition.apply(value, &replacement.value) {
                *value = scalar::text(&new);
                *source = entry(key, value);
            }
        }
        if !found && condition.allows_missing() {
            let (key, value) = (replacement.path.clone(), scalar::text(&replacement.value));
            lines.push(Line::Entry {
                source: entry(&key, &value),
                key,
                value,
            });
        }
    }
    let mut out = String::with_capacity(text.len());
    for line in &lines {
        out.push_str(match line {
            Line::Other(source) | Line::Entry { source, .. } => source,
        });
        out.push_str(newline);
    }
    Ok(out)
}

/// A logical line: an entry may go on over several lines of the file.
enum Line {
    /// A comment or a blank line.
    Other(String),
    /// An entry, decoded and as it stands in the file.
    Entry {
        key: String,
        value: String,
        source: String,
    },
}

fn read(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut physical = text.lines().peekable();
    while let Some(first) = physical.next() {
        let start = first.trim_start();
        if start.is_empty() || start.starts_with(['#', '!']) {
            lines.push(Line::Other(first.to_owned()));
            continue;
        }
        let (mut source, mut logical) = (first.to_owned(), start.to_owned());
        while continues(&logical) && physical.peek().is_some() {
            logical.pop();
            let next = physical.next().unwrap_or_default();
            source.push('\n');
            source.push_str(next);
            logical.push_str(next.trim_start());
        }
        let (key, value) = split(&logical);
        lines.push(Line::Entry { key, value, source });
    }
    lines
}

/// Whether a line ends in an odd number of backslashes.
fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Key and value of a logical line, decoded. The key ends at the first `=`, `:` or space that no
/// backslash protects.
fn split(line: &str) -> (String, String) {
    let mut escaped = false;
    let end = line.find(|char: char| {
        let ends = !escaped && (matches!(char, '=' | ':') || char.is_whitespace());
        escaped = char == '\\' && !escaped;
        ends
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start();
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start();
    (decode(key), decode(value))
}

fn decode(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    let mut buffer = [0; 2];
    while let Some(char) = chars.next() {
        if char != '\\' {
            units.extend_from_slice(char.encode_utf16(&mut buffer));
            continue;
        }
        let decoded = match chars.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('f') => '\x0c',
            Some('u') => {
                let digits = chars.as_str().get(..4);
                if let Some(unit) = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
                    units.push(unit);
                    chars = chars.as_str()[4..].chars();
                    continue;
                }
                'u'
            }
            Some(other) => other,
            None => break,
        };
        units.extend_from_slice(decoded.encode_utf16(&mut buffer));
    }
    String::from_utf16_lossy(&units)
}

fn entry(key: &str, value: &str) -> String {
    let mut out = String::with_capacity(key.len() + value.len() + 1);
    encode(&mut out, key, true);
    out.push('=');
    encode(&mut out, value, false);
    out
}

/// Writes ASCII only. A line break in a value is escaped, so no value can add a line.
fn encode(out: &mut String, text: &str, is_key: bool) {
    for (index, char) in text.char_indices() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0c' => out.push_str("\\f"),
            '=' | ':' | ' ' if is_key => {
                out.push('\\');
                out.push(char);
            }
            ' ' if index == 0 => out.push_str("\\ "),
            '#' | '!' if is_key && index == 0 => {
                out.push('\\');
                out.push(char);
            }
            ' '..='~' => out.push(char),
            _ => {
                let mut buffer = [0; 2];
                for unit in char.encode_utf16(&mut buffer) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
}
