//! Patterns written for PHP's `preg_match`, translated for `fancy-regex`.

use fancy_regex::{Regex, RegexBuilder};

use crate::parse::closing_delimiter;

/// The longest pattern that is compiled, in bytes.
const MAX_PATTERN: usize = 4096;

/// How often a match may turn back before it counts as failed, so that no pattern in an egg can
/// hold a request for long.
const BACKTRACK_LIMIT: usize = 100_000;

/// The largest compiled pattern, in bytes.
const COMPILED_LIMIT: usize = 1 << 20;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// The delimiters are missing or do not match.
    Delimiters,
    /// A letter behind the closing delimiter has no meaning here.
    Flag(char),
    /// The pattern is longer than the limit.
    TooLong,
    /// The pattern does not compile.
    Syntax(String),
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Delimiters => write!(f, "has no pattern between delimiters, such as /^[a-z]+$/"),
            Self::Flag(flag) => write!(f, "has the unsupported flag {flag}"),
            Self::TooLong => write!(f, "is longer than {MAX_PATTERN} bytes"),
            Self::Syntax(message) => write!(f, "does not compile: {message}"),
        }
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Reads a pattern with its delimiters and flags, such as `/^[a-z]+$/i`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        if text.len() > MAX_PATTERN {
            return Err(PatternError::TooLong);
        }
        let open = text.chars().next().ok_or(PatternError::Delimiters)?;
        let close = closing_delimiter(open).ok_or(PatternError::Delimiters)?;
        let inner = &text[open.len_utf8()..];
        let end = inner.rfind(close).ok_or(PatternError::Delimiters)?;
        let (body, flags) = (&inner[..end], &inner[end + close.len_utf8()..]);

        let mut switches = String::new();
        let mut unicode = false;
        let mut anchored = false;
        for flag in flags.chars() {
            match flag {
                'i' | 'm' | 's' | 'x' if !switches.contains(flag) => switches.push(flag),
                'u' => unicode = true,
                'A' => anchored = true,
                // `D` is how `$` behaves here anyway, `S` and `J` change nothing that matters.
                'i' | 'm' | 's' | 'x' | 'D' | 'S' | 'J' => {}
                _ => return Err(PatternError::Flag(flag)),
            }
        }
        let mut source = String::new();
        if !switches.is_empty() {
            source.push_str("(?");
            source.push_str(&switches);
            source.push(')');
        }
        if anchored {
            source.push_str("\\A(?:");
        }
        source.push_str(&translate(body, unicode));
        if anchored {
            source.push(')');
        }
        RegexBuilder::new(&source)
            .backtrack_limit(BACKTRACK_LIMIT)
            .delegate_size_limit(COMPILED_LIMIT)
            .build()
            .map(Self)
            .map_err(|error| PatternError::Syntax(error.to_string()))
    }

    /// Whether the pattern is found in the text. A search that takes too long finds nothing.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text).unwrap_or(false)
    }
}

/// Rewrites what PCRE and `fancy-regex` read differently: short classes are ASCII without the flag
/// `u`, `\h` is a space or tab, a bracket within a class and a brace that repeats nothing are
/// themselves, and so are the doubled signs that would combine classes.
fn translate(body: &str, unicode: bool) -> String {
    let mut out = String::with_capacity(body.len() + 16);
    let mut class_start = None;
    let mut rest = body;
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        let mut consumed = char.len_utf8();
        match char {
            '\\' => {
                let Some(escaped) = after.chars().next() else {
                    out.push('\\');
                    break;
                };
                consumed += escaped.len_utf8();
                if let Some(class) = short_class(escaped, unicode) {
                    out.push_str(class);
                } else {
                    out.push('\\');
                    out.push(escaped);
                }
            }
            '[' if class_start.is_none() => {
                out.push('[');
                let negation = usize::from(after.starts_with('^'));
                out.push_str(&after[..negation]);
                consumed += negation;
                // A closing bracket in the first place is itself.
                if after[negation..].starts_with(']') {
                    out.push_str("\\]");
                    consumed += 1;
                }
                class_start = Some(out.len());
            }
            '[' if !after.starts_with(':') => out.push_str("\\["),
            '[' => match after.find(":]") {
                Some(end) => {
                    out.push_str(&rest[..end + 3]);
                    consumed = end + 3;
                }
                None => out.push_str("\\["),
            },
            ']' if class_start.is_some() => {
                out.push(']');
                class_start = None;
            }
            '&' | '~' if class_start.is_some() => {
                out.push('\\');
                out.push(char);
            }
            // Two in a row would subtract one class from another: the one that is an end of a range
            // is escaped.
            '-' if class_start.is_some() && after.starts_with('-') => {
                out.push_str(if class_start == Some(out.len()) {
                    "\\--"
                } else {
                    "-\\-"
                });
                consumed += 1;
            }
            '{' if class_start.is_none() && !is_repetition(after) => out.push_str("\\{"),
            _ => out.push(char),
        }
        rest = &rest[consumed..];
    }
    out
}

const fn short_class(letter: char, unicode: bool) -> Option<&'static str> {
    match letter {
        'h' => Some("[ \\t]"),
        'H' => Some("[^ \\t]"),
        'w' if !unicode => Some("[0-9A-Za-z_]"),
        'W' if !unicode => Some("[^0-9A-Za-z_]"),
        'd' if !unicode => Some("[0-9]"),
        'D' if !unicode => Some("[^0-9]"),
        's' if !unicode => Some("[ \\t\\n\\r\\x0b\\x0c]"),
        'S' if !unicode => Some("[^ \\t\\n\\r\\x0b\\x0c]"),
        _ => None,
    }
}

/// Whether the text behind an opening brace makes it a repetition: `3}`, `3,}` or `3,5}`.
fn is_repetition(after: &str) -> bool {
    let Some((inner, _)) = after.split_once('}') else {
        return false;
    };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn php_patterns_mean_what_they_mean_in_php() {
        let cases = [
            (r"/^[\w\-\/.%:]+$/", "10.0.0.%", true),
            (r"/^[\w\-\/.%:]+$/", "a b", false),
            (
                r"/^[\w#\.\/\- ]*\|?~?[\w\.\/\-:@ ]*$/",
                "ghcr.io/x/y:java_21",
                true,
            ),
            ("/^a|b$/", "xxb", true),
            ("#^(http|https)://#i", "HTTPS://x", true),
            ("{^[a-z]{2,3}$}", "abc", true),
            ("/^\\w+$/", "grün", false),
            ("/^\\w+$/u", "grün", true),
            ("/^[^[]+$/", "a[b", false),
            ("/^[^]]+$/", "a]b", false),
            ("/^[[:alnum:]_]+$/", "ab_9", true),
            ("/^{{[A-Z]+}}$/", "{{NAME}}", true),
            ("/^[a-z&&]+$/", "a&b", true),
            ("/^[+--]+$/", "+,-", true),
            (r"/^[--\/]+$/", "-./", true),
            ("/^(?!root$)[a-z]+$/", "root", false),
            ("/^(?!root$)[a-z]+$/", "toor", true),
            ("/^a\\hb$/", "a\tb", true),
            ("/abc/A", "xabc", false),
            ("~^(?:0|[1-9][0-9]*)$~D", "10", true),
        ];
        for (pattern, text, expected) in cases {
            let compiled = Pattern::parse(pattern).unwrap();
            assert_eq!(compiled.is_match(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn broken_patterns_say_what_is_wrong() {
        assert_eq!(Pattern::parse("").err(), Some(PatternError::Delimiters));
        assert_eq!(Pattern::parse("abc").err(), Some(PatternError::Delimiters));
        assert_eq!(Pattern::parse("/abc").err(), Some(PatternError::Delimiters));
        assert_eq!(
            Pattern::parse("/abc/e").err(),
            Some(PatternError::Flag('e'))
        );
        assert!(matches!(
            Pattern::parse("/(/"),
            Err(PatternError::Syntax(_))
        ));
        assert_eq!(
            Pattern::parse(&"/".repeat(5000)).err(),
            Some(PatternError::TooLong)
        );
    }

    #[test]
    fn a_pattern_that_explodes_finds_nothing() {
        let pattern = Pattern::parse("/^(?=(a+)+$)(a|aa)+$/").unwrap();
        assert!(!pattern.is_match(&format!("{}b", "a".repeat(5000))));
    }
}
