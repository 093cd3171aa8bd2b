//! The start command with its placeholders replaced (client-api.md §4.1.2).

/// A variable as far as a start command needs it.
#[derive(Clone, Copy, Debug)]
pub struct Placeholder<'a> {
    /// The name between the braces.
    pub name: &'a str,
    /// What takes its place.
    pub value: &'a str,
}

/// What takes the place of a value that the reader may not see.
pub const HIDDEN: &str = "[hidden]";

/// Replaces each placeholder literally and in order. Unknown ones stay.
///
/// A value is looked through for later placeholders, as in the reference: variables that name
/// other variables are common in published eggs, and nothing secret can be reached that way, since
/// a hidden value takes part as [`HIDDEN`].
pub fn invocation<'a>(
    template: &str,
    placeholders: impl IntoIterator<Item = Placeholder<'a>>,
) -> String {
    let mut command = template.to_owned();
    let mut marker = String::new();
    for Placeholder { name, value } in placeholders {
        marker.clear();
        marker.extend(["{{", name, "}}"]);
        if command.contains(&marker) {
            command = command.replace(&marker, value);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_literally_and_in_order() {
        let placeholders = [
            ("SERVER_MEMORY", "512"),
            ("A", "{{B}}"),
            ("B", "x"),
            ("C", HIDDEN),
        ]
        .map(|(name, value)| Placeholder { name, value });
        assert_eq!(
            invocation(
                "run -m {{SERVER_MEMORY}} {{A}} {{ B }} {{C}} {{D}}",
                placeholders
            ),
            "run -m 512 x {{ B }} [hidden] {{D}}"
        );
    }
}
