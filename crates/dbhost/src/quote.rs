//! Names and texts inside statements that make accounts and databases, which take no parameters:
//! one function for each place, so that nothing reaches a statement in another way.
//!
//! Knows no connection. A text with a NUL is refused everywhere, since neither engine has such
//! names and C code behind them may end there.

/// A text with a NUL, which no name and no password of a database server may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name or password holds a zero character")]
pub(crate) struct Nul;

/// Puts a text between two quotes, with those inside doubled.
fn doubled(text: &str, quote: char) -> Result<String, Nul> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for character in text.chars() {
        match character {
            '\0' => return Err(Nul),
            character if character == quote => quoted.extend([quote, quote]),
            character => quoted.push(character),
        }
    }
    quoted.push(quote);
    Ok(quoted)
}

/// A name of MySQL: `` `a``b` ``.
pub(crate) fn mysql_name(name: &str) -> Result<String, Nul> {
    doubled(name, '`')
}

/// A text of MySQL under `NO_BACKSLASH_ESCAPES`, which every session of ours sets: `'it''s'`.
pub(crate) fn mysql_text(text: &str) -> Result<String, Nul> {
    doubled(text, '\'')
}

/// The database of a `GRANT` of MySQL, where `_` and `%` stand for other characters: unescaped, the
/// grant on `s1_1_a` would cover `s111_a`, the database of another server.
pub(crate) fn mysql_grant_name(name: &str) -> Result<String, Nul> {
    let mut pattern = String::with_capacity(name.len() + 2);
    for character in name.chars() {
        if matches!(character, '_' | '%' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    mysql_name(&pattern)
}

/// A name of PostgreSQL: `"a""b"`.
pub(crate) fn postgres_name(name: &str) -> Result<String, Nul> {
    doubled(name, '"')
}

/// A text of PostgreSQL, whatever `standard_conforming_strings` says: `E'it''s a \\'`.
pub(crate) fn postgres_text(text: &str) -> Result<String, Nul> {
    Ok(format!("E{}", doubled(&text.replace('\\', "\\\\"), '\'')?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_names_stay_names() {
        type Quote = fn(&str) -> Result<String, Nul>;
        let table: [(Quote, &str, &str); 9] = [
            (
                mysql_name,
                "a`; DROP DATABASE x; --",
                "`a``; DROP DATABASE x; --`",
            ),
            (mysql_name, "s1_héllo\\", "`s1_héllo\\`"),
            (mysql_text, "it's \\' \"", "'it''s \\'' \"'"),
            (mysql_grant_name, "s1_1_a", r"`s1\_1\_a`"),
            (mysql_grant_name, "%`\\", r"`\%``\\`"),
            (postgres_name, "a\"; DROP ROLE x", "\"a\"\"; DROP ROLE x\""),
            (postgres_name, "名前🥚", "\"名前🥚\""),
            (postgres_text, "it's \\' $$", r"E'it''s \\'' $$'"),
            (postgres_text, "", "E''"),
        ];
        for (quote, text, quoted) in table {
            assert_eq!(quote(text).unwrap(), quoted);
            assert_eq!(quote("a\0b"), Err(Nul));
        }
    }

    /// Reads a quoted text as the server's lexer does: the whole of it must be one token.
    fn unquote(quoted: &str, quote: char, backslashes: bool) -> Option<String> {
        let inner = quoted.strip_prefix(quote)?;
        let mut characters = inner.chars();
        let mut text = String::new();
        while let Some(character) = characters.next() {
            if character == '\\' && backslashes {
                text.push(characters.next()?);
            } else if character == quote {
                match characters.next() {
                    Some(next) if next == quote => text.push(quote),
                    Some(_) => return None,
                    None => return Some(text),
                }
            } else {
                text.push(character);
            }
        }
        None
    }

    proptest! {
        #[test]
        fn whatever_is_quoted_is_one_token(text in "[^\0]{0,40}|[a'\"`\\\\_%;-]{0,12}") {
            let read = |quoted: Result<String, Nul>, quote, backslashes| {
                unquote(&quoted.unwrap(), quote, backslashes)
            };
            prop_assert_eq!(read(mysql_name(&text), '`', false), Some(text.clone()));
            prop_assert_eq!(read(mysql_text(&text), '\'', false), Some(text.clone()));
            prop_assert_eq!(read(mysql_grant_name(&text), '`', true), Some(text.clone()));
            prop_assert_eq!(read(postgres_name(&text), '"', false), Some(text.clone()));
            let quoted = postgres_text(&text).unwrap();
            let quoted = quoted.strip_prefix('E').unwrap();
            prop_assert_eq!(unquote(quoted, '\'', true), Some(text));
        }
    }
}
