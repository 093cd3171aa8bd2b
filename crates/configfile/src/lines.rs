//! The parser `file`: a line that starts with the match becomes the replacement.

use crate::{Replacement, scalar};

pub(crate) fn edit(text: &str, replacements: &[Replacement]) -> String {
    let wanted: Vec<(&str, String)> = replacements
        .iter()
        .map(|replacement| (&*replacement.path, scalar::text(&replacement.value)))
        .collect();
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let ending = &line[content.len()..];
        // Of several matches the longest is meant: `port` must not catch the line of `port-query`.
        let matching = wanted
            .iter()
            .filter(|(start, _)| !start.is_empty() && content.starts_with(start));
        out.push_str(
            matching
                .max_by_key(|(start, _)| start.len())
                .map_or(content, |(_, new)| new),
        );
        out.push_str(ending);
    }
    out
}
