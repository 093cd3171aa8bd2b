//! The placeholders that a node resolves: a closed list, so that no egg and no variable can read a
//! node's settings (CVE-2026-52855 in security.md).

use std::borrow::Cow;

use serde_json::Value;

use crate::Replacement;

/// Names of the address under which a game reaches other games of the machine.
const INTERFACE: [&str; 2] = ["docker.interface", "docker.network.interface"];

/// The replacement with its placeholders resolved.
pub(crate) fn resolved(replacement: &Replacement, interface: &str) -> Replacement {
    let value = match &replacement.value {
        Value::String(text) => Value::String(resolve(text, interface).into_owned()),
        other => other.clone(),
    };
    Replacement {
        value,
        ..replacement.clone()
    }
}

/// Puts the address for its names, and nothing for every other name of the `config.` family. What
/// is put in is not looked at again.
fn resolve<'a>(text: &'a str, interface: &str) -> Cow<'a, str> {
    if !text.contains("{{") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let inner = &rest[start + 2..];
        if let Some((name, length)) = name(inner) {
            out.push_str(&rest[..start]);
            if INTERFACE.contains(&name) {
                out.push_str(interface);
            }
            rest = &inner[length..];
        } else {
            // One brace only: the next one may open a placeholder.
            out.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The name behind `config.` in a text that follows two opening braces, and how much of the text
/// belongs to the placeholder.
fn name(inner: &str) -> Option<(&str, usize)> {
    let trimmed = inner.strip_prefix(' ').unwrap_or(inner);
    let path = trimmed.strip_prefix("config.")?;
    let end =
        path.find(|char: char| !char.is_ascii_alphanumeric() && !matches!(char, '_' | '.' | '-'))?;
    let rest = &path[end..];
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let rest = rest.strip_prefix("}}")?;
    Some((&path[..end], inner.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_interface_is_told() {
        let cases = [
            ("{{config.docker.interface}}:1", "172.18.0.1:1"),
            ("{{ config.docker.network.interface }}", "172.18.0.1"),
            (
                "a{{config.token}}b{{config.docker.interface}}",
                "ab172.18.0.1",
            ),
            ("{{config.}}", ""),
            ("{{{config.docker.interface}}}", "{172.18.0.1}"),
            (
                "{{server.build.memory}} {{ config.x",
                "{{server.build.memory}} {{ config.x",
            ),
            ("{{config.a b}}", "{{config.a b}}"),
            (
                "{{config.{{config.x}}docker.interface}}",
                "{{config.docker.interface}}",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text, "172.18.0.1"), expected, "{text}");
        }
        assert_eq!(
            resolve("{{config.docker.interface}}", "{{config.token}}"),
            "{{config.token}}"
        );
    }
}
