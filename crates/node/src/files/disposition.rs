//! The header that names a download.

use axum::http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What RFC 8187 lets stand in an extended value.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// `attachment; filename="…"`. A name comes from the game server, so whatever could end the quotes
/// or the line is replaced; a name that lost something that way comes a second time, in full, as
/// `filename*` (RFC 6266).
pub(super) fn attachment(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|letter| match letter {
            ' ' => ' ',
            letter if letter.is_ascii_graphic() && !matches!(letter, '"' | '\\' | '%') => letter,
            _ => '_',
        })
        .collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        value.extend(utf8_percent_encode(name, PLAIN));
    }
    // Only visible ASCII and spaces are left, so the fallback is unreachable.
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("attachment"))
}

/// The name of a file that such a header of somebody else's states: its last part alone, whatever
/// folders it names.
pub(super) fn file_name(header: &str) -> Option<String> {
    let parameter = |name: &str| {
        header.split(';').skip(1).find_map(|parameter| {
            let (found, value) = parameter.split_once('=')?;
            let value = value.trim().trim_matches('"');
            found.trim().eq_ignore_ascii_case(name).then_some(value)
        })
    };
    let extended = parameter("filename*").and_then(|value| {
        let encoded = value.splitn(3, '\'').nth(2)?;
        Some(percent_decode_str(encoded).decode_utf8_lossy().into_owned())
    });
    let whole = extended.or_else(|| parameter("filename").map(str::to_owned))?;
    let last = whole.rsplit(['/', '\\']).next()?;
    (!last.is_empty()).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_name_in_a_header_is_a_name_alone() {
        for (header, name) in [
            ("attachment; filename=\"a b.zip\"", Some("a b.zip")),
            ("attachment;filename=a.zip", Some("a.zip")),
            (
                "attachment; filename=\"x\"; FileName*=UTF-8''gr%C3%BC%C3%9Fe.zip",
                Some("grüße.zip"),
            ),
            ("inline; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"C:\\x\\y.zip\"", Some("y.zip")),
            ("attachment; filename*=UTF-8''..%2Fup", Some("up")),
            ("attachment; filename=\"\"", None),
            ("attachment", None),
        ] {
            assert_eq!(file_name(header).as_deref(), name, "{header}");
        }
    }

    #[test]
    fn names_are_quoted_or_encoded() {
        for (name, header) in [
            ("server.jar", r#"attachment; filename="server.jar""#),
            ("my world.zip", r#"attachment; filename="my world.zip""#),
            (
                "a\"b",
                r#"attachment; filename="a_b"; filename*=UTF-8''a%22b"#,
            ),
            (
                "x\r\nSet-Cookie: a=b",
                "attachment; filename=\"x__Set-Cookie: a=b\"; \
                filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3Db",
            ),
            (
                "größe.txt",
                "attachment; filename=\"gr__e.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt",
            ),
        ] {
            assert_eq!(attachment(name).to_str().unwrap(), header);
        }
    }

    proptest! {
        #[test]
        fn no_name_gets_out_of_its_quotes(name in "\\PC*|[\\x00-\\x7f]*") {
            let header = attachment(&name);
            let header = header.to_str().unwrap();
            prop_assert!(header.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
            prop_assert!(header.starts_with("attachment; filename=\""));
            prop_assert_eq!(header.matches('"').count(), 2);
            if let Some((_, encoded)) = header.split_once("filename*=UTF-8''") {
                let decoded = percent_decode_str(encoded).decode_utf8().unwrap();
                prop_assert_eq!(decoded, name);
            }
        }
    }
}
