//! Textual formats: addresses, identifiers, zones.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Canonical zone names, one a line, sorted.
const TIMEZONES: &str = include_str!("timezones.txt");

/// Schemes that `url` accepts: those that games, tools and the web use.
const SCHEMES: [&str; 62] = [
    "aaa",
    "about",
    "acap",
    "amqp",
    "amqps",
    "apt",
    "bitcoin",
    "callto",
    "cap",
    "chrome",
    "cid",
    "coap",
    "coaps",
    "data",
    "dav",
    "dict",
    "dns",
    "doi",
    "ed2k",
    "facetime",
    "feed",
    "file",
    "ftp",
    "ftps",
    "geo",
    "git",
    "gopher",
    "http",
    "https",
    "imap",
    "info",
    "ipp",
    "irc",
    "irc6",
    "ircs",
    "jabber",
    "ldap",
    "ldaps",
    "magnet",
    "mailto",
    "mms",
    "mumble",
    "news",
    "nfs",
    "redis",
    "rediss",
    "rsync",
    "rtmp",
    "rtsp",
    "secondlife",
    "sftp",
    "sip",
    "sips",
    "smb",
    "ssh",
    "steam",
    "svn",
    "teamspeak",
    "telnet",
    "udp",
    "ws",
    "wss",
];

/// The longest host name.
const MAX_HOST: usize = 253;

/// An address in the syntax of RFC 5322; the domain may be a single label (`a@b`), and how long the part
/// before the `@` is, is no matter of syntax (client-api.md §3.2.5).
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_ok = match local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => !quoted
            .chars()
            .any(|c| c.is_control() || c == '"' || c == '\\'),
        None => local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char)),
    };
    local_ok && !local.is_empty() && is_mail_domain(domain)
}

fn is_atom_char(char: char) -> bool {
    char.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(char)
        || (!char.is_ascii() && !char.is_control())
}

fn is_mail_domain(domain: &str) -> bool {
    if let Some(literal) = domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return is_ipv4(literal) || literal.strip_prefix("IPv6:").is_some_and(is_ipv6);
    }
    domain.len() <= MAX_HOST
        && domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c == '-' || c.is_alphanumeric())
        })
}

/// An absolute address with a known scheme and a host.
pub(crate) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    if SCHEMES
        .binary_search(&scheme.to_ascii_lowercase().as_str())
        .is_err()
    {
        return false;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host_and_port = authority
        .rsplit_once('@')
        .map_or(authority, |(user, host)| {
            if user.chars().all(is_url_char) {
                host
            } else {
                ""
            }
        });
    is_authority(host_and_port) && tail.chars().all(is_url_char)
}

fn is_authority(text: &str) -> bool {
    if let Some((literal, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return is_ipv6(literal)
            && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = text
        .split_once(':')
        .map_or((text, None), |(host, port)| (host, Some(port)));
    let host = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    host.len() <= MAX_HOST && host.split('.').all(label) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_url_char(char: char) -> bool {
    char.is_alphanumeric() || "-._~!$&'()*+,;=:@%/?#[]|".contains(char)
}

/// Whether the text is an address with a host, in the shape that a name lookup would need.
pub(crate) fn has_host(text: &str) -> bool {
    is_url(text)
}

pub(crate) fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

pub(crate) fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

/// Six bytes in hexadecimal, parted by colons or hyphens, or three groups of four parted by dots.
pub(crate) fn is_mac_address(text: &str) -> bool {
    let groups = |separator: char, count: usize, width: usize| {
        text.split(separator).count() == count
            && text.split(separator).all(|group| is_hex(group, width))
    };
    groups(':', 6, 2) || groups('-', 6, 2) || groups('.', 3, 4)
}

pub(crate) fn is_uuid(text: &str) -> bool {
    let widths = [8, 4, 4, 4, 12];
    text.split('-').count() == widths.len()
        && text
            .split('-')
            .zip(widths)
            .all(|(group, width)| is_hex(group, width))
}

/// Twenty-six characters of Crockford's alphabet that fit in 128 bits.
pub(crate) fn is_ulid(text: &str) -> bool {
    let symbol =
        |byte: u8| byte.is_ascii_alphanumeric() && !b"ILOU".contains(&byte.to_ascii_uppercase());
    text.len() == 26
        && text.bytes().all(symbol)
        && text.starts_with(|c: char| ('0'..='7').contains(&c))
}

pub(crate) fn is_hex_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| [3, 4, 6, 8].iter().any(|width| is_hex(digits, *width)))
}

fn is_hex(text: &str, width: usize) -> bool {
    text.len() == width && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(crate) fn is_timezone(text: &str) -> bool {
    TIMEZONES.lines().any(|zone| zone == text)
}

/// Whether a character is a letter, a mark that belongs to one, or (`digits`) a number.
pub(crate) fn is_word_char(char: char, digits: bool, ascii: bool) -> bool {
    if ascii || char.is_ascii() {
        return char.is_ascii_alphabetic() || (digits && char.is_ascii_digit());
    }
    char.is_alphabetic() || is_mark(char) || (digits && char.is_numeric())
}

/// Combining marks that are not alphabetic themselves.
const fn is_mark(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{93c}' | '\u{94d}' | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{3099}' | '\u{309a}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemes_are_sorted() {
        assert!(SCHEMES.is_sorted());
    }

    #[test]
    fn formats() {
        type Case = (
            fn(&str) -> bool,
            &'static [&'static str],
            &'static [&'static str],
        );
        let cases: [Case; 8] = [
            (
                is_email,
                &[
                    "a@b",
                    "owner@example.com",
                    "\"a b\"@c.d",
                    "x@[127.0.0.1]",
                    "jörg@exämple.de",
                    "a+b@c.io",
                    "a234567890123456789012345678901234567890123456789012345678901234567890@c",
                ],
                &[
                    "", "@b", "a@", "a b@c", "a..b@c", ".a@c", "a@-c", "a@b..c", "a@b c", "a",
                ],
            ),
            (
                is_url,
                &[
                    "http://a",
                    "https://u:p@example.com:8080/x?y=1#z",
                    "ftp://[::1]/",
                    "ws://127.0.0.1",
                    "HTTP://A.b/",
                ],
                &[
                    "",
                    "http://",
                    "http:///x",
                    "nope://a",
                    "http://a b",
                    "http://a:port",
                    "example.com",
                    "http://a\n",
                ],
            ),
            (
                is_mac_address,
                &["00:1A:2b:3c:4d:5e", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e"],
                &["00:1a:2b:3c:4d", "x"],
            ),
            (
                is_uuid,
                &["f3f95466-7e8b-42a4-8504-6e7055874e39"],
                &["f3f954667e8b42a485046e7055874e39", ""],
            ),
            (
                is_ulid,
                &["01ARZ3NDEKTSV4RRFFQ69G5FAV"],
                &["81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FA"],
            ),
            (
                is_hex_color,
                &["#fff", "#FFFF", "#00ff00", "#00ff0080"],
                &["fff", "#ff", "#ggg"],
            ),
            (
                is_timezone,
                &["UTC", "Europe/Berlin"],
                &["Mars/Base", "", "europe/berlin"],
            ),
            (is_ipv6, &["::1"], &["127.0.0.1", "[::1]"]),
        ];
        for (index, (check, good, bad)) in cases.into_iter().enumerate() {
            for text in good {
                assert!(check(text), "case {index}: {text}");
            }
            for text in bad {
                assert!(!check(text), "case {index}: {text}");
            }
        }
    }
}
