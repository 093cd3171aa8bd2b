//! Sections of `key = value`. Comments, order and the lines that are not touched stay as they are.

use crate::{Replacement, scalar};

pub(crate) fn edit(text: &str, replacements: &[Replacement]) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let separator = style(&lines);
    for replacement in replacements {
        let (section, key) = split_path(&replacement.path);
        // A line break would start another line, and blanks around a value are no part of it.
        let value = scalar::text(&replacement.value).replace(['\n', '\r'], " ");
        set(&mut lines, &section, &key, value.trim(), separator);
    }
    let mut out = String::with_capacity(text.len());
    for line in &lines {
        out.push_str(line);
        out.push_str(newline);
    }
    out
}

fn set(lines: &mut Vec<String>, section: &str, key: &str, value: &str, separator: &str) {
    let Some(body) = section_body(lines, section) else {
        if lines.last().is_some_and(|line| !line.trim().is_empty()) {
            lines.push(String::new());
        }
        lines.push(format!("[{section}]"));
        lines.push(format!("{key}{separator}{value}"));
        return;
    };
    let mut found = false;
    for line in &mut lines[body.clone()] {
        if let Some((name, rest)) = entry(line)
            && name == key
        {
            let spaces = rest.len() - rest.trim_start().len();
            let kept = line.len() - rest.len() + spaces;
            line.truncate(kept);
            line.push_str(value);
            found = true;
        }
    }
    if !found {
        let blank = lines[body.clone()]
            .iter()
            .rev()
            .take_while(|line| line.trim().is_empty())
            .count();
        lines.insert(body.end - blank, format!("{key}{separator}{value}"));
    }
}

/// The lines of a section without its header; the section without a name is what stands before the
/// first header.
fn section_body(lines: &[String], section: &str) -> Option<std::ops::Range<usize>> {
    let start = if section.is_empty() {
        0
    } else {
        lines
            .iter()
            .position(|line| header(line) == Some(section))?
            + 1
    };
    let length = lines[start..]
        .iter()
        .take_while(|line| header(line).is_none())
        .count();
    Some(start..start + length)
}

fn header(line: &str) -> Option<&str> {
    line.trim()
        .strip_prefix('[')?
        .strip_suffix(']')
        .map(str::trim)
}

/// Key and everything behind the separator.
fn entry(line: &str) -> Option<(&str, &str)> {
    let start = line.trim_start();
    if start.starts_with([';', '#', '[']) {
        return None;
    }
    let (key, rest) = line.split_once(['=', ':'])?;
    Some((key.trim(), rest))
}

/// How this file parts keys from values.
fn style(lines: &[String]) -> &'static str {
    let tight = lines
        .iter()
        .find_map(|line| entry(line))
        .is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with(char::is_whitespace));
    if tight { "=" } else { " = " }
}

/// Section and key of a path: they are parted by the first dot outside brackets, and brackets
/// protect the dots of a name.
fn split_path(path: &str) -> (String, String) {
    let mut depth = 0_usize;
    let dot = path.find(|char: char| {
        match char {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == '.' && depth == 0
    });
    let clean = |name: &str| name.replace(['[', ']', '\n', '\r'], "");
    match dot {
        Some(dot) => (clean(&path[..dot]), clean(&path[dot + 1..])),
        None => (String::new(), clean(path)),
    }
}
