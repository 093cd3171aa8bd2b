//! Parts of the OpenAPI document that many routes share.

use hatchery_wire::ErrorDocument;
use utoipa::{IntoParams, IntoResponses};

/// What any route can answer instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) enum AccountErrors {
    /// Two-factor authentication is required, or the JSON is malformed.
    #[response(status = 400)]
    BadRequest(ErrorDocument),
    /// No valid key.
    #[response(status = 401)]
    Unauthenticated(ErrorDocument),
    /// The key may not be used from here.
    #[response(status = 403)]
    Forbidden(ErrorDocument),
    /// Too many requests; see `Retry-After`.
    #[response(status = 429)]
    TooManyRequests(ErrorDocument),
}

/// What a route with fields can answer instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) enum FieldErrors {
    /// Fields were refused.
    #[response(status = 422)]
    Validation(ErrorDocument),
}

/// What any route of a server can answer instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) enum ServerErrors {
    /// Two-factor authentication is required, or the JSON is malformed.
    #[response(status = 400)]
    BadRequest(ErrorDocument),
    /// No valid key.
    #[response(status = 401)]
    Unauthenticated(ErrorDocument),
    /// A permission is missing.
    #[response(status = 403)]
    Forbidden(ErrorDocument),
    /// No such server, as far as the caller may know.
    #[response(status = 404)]
    NotFound(ErrorDocument),
    /// The server is suspended, being installed, restored or moved.
    #[response(status = 409)]
    Conflict(ErrorDocument),
    /// Fields were refused.
    #[response(status = 422)]
    Validation(ErrorDocument),
    /// Too many requests; see `Retry-After`.
    #[response(status = 429)]
    TooManyRequests(ErrorDocument),
    /// The server's node cannot be reached.
    #[response(status = 504)]
    NoNode(ErrorDocument),
}

/// Which page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) struct PageParameters {
    /// The page, from 1.
    page: Option<u64>,
    /// How many entries on a page.
    per_page: Option<u64>,
}

/// The server of a route.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) struct ServerPath {
    /// The server's UUID, or the first eight characters of it.
    server: String,
}
