//! Browser sessions: two cookies and the proof that a request comes from our own page
//! (client-api.md §1.5).
//!
//! The session cookie holds a random token; the readable `XSRF-TOKEN` cookie holds a second one that
//! follows from it. A request that carries the session cookie and may change something must carry
//! the second token in a header too, which no other site can read. There is no way around this
//! check: it is made before anybody asks whom the cookie speaks for.

use axum::response::Response;
use hatchery_app::{Actor, Cx, sessions};
use hatchery_auth::SessionToken;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};
use percent_encoding::percent_decode_str;

use super::error::ApiError;
use super::origin::ClientAddress;
use crate::Api;

const CSRF_COOKIE: &str = "XSRF-TOKEN";

/// Whom the session cookie of a request speaks for; nobody when there is none or it has ended.
pub(crate) async fn authenticate(
    api: &Api,
    parts: &Parts,
    address: ClientAddress,
) -> Result<Option<Actor>, ApiError> {
    let Some(cookie) = cookie(&parts.headers, &cookie_name(&api.cx)) else {
        return Ok(None);
    };
    let token = SessionToken::from_cookie(cookie);
    check_csrf(&parts.method, &parts.headers, token.as_ref())?;
    let Some(token) = token else { return Ok(None) };
    Ok(sessions::resume(&api.cx, &token, address.0).await?)
}

/// Refuses a request that could change something and does not prove that it comes from our page.
pub(crate) fn check_csrf(
    method: &Method,
    headers: &HeaderMap,
    token: Option<&SessionToken>,
) -> Result<(), ApiError> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let presented = text("x-csrf-token").map(str::to_owned).or_else(|| {
        let encoded = text("x-xsrf-token")?;
        Some(percent_decode_str(encoded).decode_utf8_lossy().into_owned())
    });
    match (token, presented) {
        (Some(token), Some(presented)) if token.csrf().matches(&presented) => Ok(()),
        _ => Err(ApiError::csrf_mismatch()),
    }
}

/// The session token of a request, if it has one of the right form.
pub(crate) fn token(cx: &Cx, headers: &HeaderMap) -> Option<SessionToken> {
    SessionToken::from_cookie(cookie(headers, &cookie_name(cx))?)
}

/// The two `Set-Cookie` headers of a session: the session cookie, which scripts cannot read, and
/// the token that our page sends back.
pub fn cookies(cx: &Cx, token: &SessionToken) -> Vec<HeaderValue> {
    let lifetime = cx.settings().session_lifetime.as_secs();
    let (name, csrf) = (cookie_name(cx), token.csrf());
    let session = set_cookie(cx, &name, token.expose(), lifetime, "; HttpOnly");
    let readable = set_cookie(cx, CSRF_COOKIE, csrf.expose(), lifetime, "");
    [session, readable].into_iter().flatten().collect()
}

/// Lets a browser keep its cookies as long as its session, which every request prolongs
/// (client-api.md §1.5), unless the answer sets others.
pub(crate) fn keep(cx: &Cx, token: &SessionToken, response: &mut Response) {
    let headers = response.headers_mut();
    if !headers.contains_key(header::SET_COOKIE) {
        for cookie in cookies(cx, token) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

fn set_cookie(cx: &Cx, name: &str, value: &str, seconds: u64, flags: &str) -> Option<HeaderValue> {
    let https = cx
        .settings()
        .app_url
        .as_deref()
        .is_some_and(|url| url.starts_with("https://"));
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Max-Age={seconds}; Path=/; SameSite=Lax{secure}{flags}");
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// `<the panel's name as a slug>_session`.
fn cookie_name(cx: &Cx) -> String {
    let mut slug = String::new();
    for char in cx.settings().app_name.chars() {
        if char.is_ascii_alphanumeric() {
            slug.push(char.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    format!("{}_session", slug.trim_end_matches('_'))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}
