//! Which pages may open a WebSocket.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Whether the request comes from no page at all, from the node's own, or from one of the list.
/// Programs that are no browsers send no origin, and none of theirs is worth a check: only a
/// browser carries its user's standing to a foreign page (client-quirks.md 21).
pub(super) fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let listed = allowed
        .iter()
        .any(|entry| entry == "*" || entry.trim_end_matches('/').eq_ignore_ascii_case(origin));
    let own = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| is_same(origin, host));
    listed || own
}

/// Whether an origin names this host. Only the authority is compared: behind a proxy that ends TLS
/// the node does not know its own scheme.
fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let default = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |authority: &str| {
        authority
            .strip_suffix(default)
            .unwrap_or(authority)
            .to_ascii_lowercase()
    };
    !host.is_empty() && bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_own_and_listed_pages_may() {
        let listed = ["https://panel.example/".to_owned()];
        for (origin, expected) in [
            (None, true),
            (Some("http://node.example:8080"), true),
            (Some("https://NODE.example:8080"), true),
            (Some("https://panel.example"), true),
            (Some("https://panel.example.evil"), false),
            (Some("https://node.example"), false),
            (Some("null"), false),
            (Some("file://node.example:8080"), false),
            (Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "node.example:8080".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(is_allowed(&headers, &listed), expected, "{origin:?}");
        }
        assert!(
            is_same("https://a.example", "a.example:443")
                && !is_same("https://a.example", "a.example:80")
        );
    }
}
