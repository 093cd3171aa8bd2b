//! The rate limit on the wire: whose requests count together, and the headers that tell
//! (client-api.md §1.9, with the mission's figures).

use axum::response::Response;
use hatchery_app::windows::{Exceeded, Quota, Windows};
use hatchery_vocab::{ApiKeyId, UserId};
use http::{HeaderName, HeaderValue, header};

use super::error::ApiError;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// One API key.
    Key(ApiKeyId),
    /// All browser sessions of one user.
    Sessions(UserId),
}

/// Counts requests.
pub type RateLimiter<K = Caller> = Windows<K>;

/// Puts the three headers on an answer. The mission wants `X-RateLimit-Reset` on every limited
/// answer, not only on refusals.
pub(crate) fn describe(quota: Quota, response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(LIMIT, HeaderValue::from(quota.limit()));
    headers.insert(REMAINING, HeaderValue::from(quota.remaining()));
    headers.insert(RESET, HeaderValue::from(quota.reset().seconds()));
}

impl From<Exceeded> for ApiError {
    fn from(exceeded: Exceeded) -> Self {
        let quota = exceeded.quota();
        Self::too_many_attempts()
            .with_header(LIMIT, HeaderValue::from(quota.limit()))
            .with_header(REMAINING, HeaderValue::from(quota.remaining()))
            .with_header(
                header::RETRY_AFTER,
                HeaderValue::from(exceeded.retry_after()),
            )
            .with_header(RESET, HeaderValue::from(quota.reset().seconds()))
    }
}
