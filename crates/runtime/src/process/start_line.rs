//! The start line: from an egg's placeholders to what a shell runs, and to what people are shown.

use crate::InstanceSpec;

/// Turns every `{{NAME}}` into `${NAME}`: the shell puts values in, and never reads them as code
/// (eggs.md §4.1). What is not a name stays as it is.
pub(super) fn for_shell(line: &str) -> String {
    replace(line, |name, whole| {
        if whole.starts_with('$') {
            whole.to_owned()
        } else {
            format!("${{{name}}}")
        }
    })
}

/// The line that is printed first, as the usual images do. Values are put in by name only, so
/// nothing is run for showing it.
pub(super) fn announce(spec: &InstanceSpec) -> String {
    let shown = replace(&spec.invocation, |name, whole| {
        let value = spec.environment.iter().find(|(key, _)| key == name);
        value.map_or_else(|| whole.to_owned(), |(_, value)| value.clone())
    });
    format!(":/home/container$ {shown}\r\n")
}

/// Replaces `{{NAME}}` and `${NAME}` in one pass; what is put in is not looked at again. The
/// function gets the name and the whole placeholder.
fn replace(line: &str, with: impl Fn(&str, &str) -> String) -> String {
    let mut result = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(['{', '$']) {
        let (before, candidate) = rest.split_at(start);
        result.push_str(before);
        let placeholder = [("{{", "}}"), ("${", "}")]
            .into_iter()
            .find_map(|(open, close)| {
                let inner = candidate.strip_prefix(open)?;
                let (name, after) = inner.split_once(close)?;
                is_name(name.trim()).then_some((name.trim(), after))
            });
        if let Some((name, after)) = placeholder {
            let whole = &candidate[..candidate.len() - after.len()];
            result.push_str(&with(name, whole));
            rest = after;
        } else {
            let (first, after) = candidate.split_at(1);
            result.push_str(first);
            rest = after;
        }
    }
    result.push_str(rest);
    result
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_shell_variables() {
        for (line, expected) in [
            (
                "java -Xmx{{SERVER_MEMORY}}M -jar {{SERVER_JARFILE}}",
                "java -Xmx${SERVER_MEMORY}M -jar ${SERVER_JARFILE}",
            ),
            ("x{{ A }}y", "x${A}y"),
            (
                "$(( {{MEM}} * 2 )) ${KEPT} $(date)",
                "$(( ${MEM} * 2 )) ${KEPT} $(date)",
            ),
            (
                "{{server.build.memory}} {{}} {{1A}} {{open",
                "{{server.build.memory}} {{}} {{1A}} {{open",
            ),
            ("{{{A}}} ünï {{B}}", "{${A}} ünï ${B}"),
            ("", ""),
        ] {
            assert_eq!(for_shell(line), expected);
        }
    }
}
