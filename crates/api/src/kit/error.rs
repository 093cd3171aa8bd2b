//! Every shape of error that the API answers with (client-api.md §2).
//!
//! Constructors are named after the situation, so that a handler reads like the specification.
//! Sentences are exact: published clients match on them.

use std::borrow::Cow;
use std::fmt;

use axum::response::{IntoResponse, Response};
use hatchery_node_proto::NodeError;
use hatchery_rules::FieldError;
use hatchery_wire::{ErrorDocument, ErrorEntry, ErrorMeta};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::answer::json_response;

/// An unsuccessful answer.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    entries: Vec<ErrorEntry>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

type Text = Cow<'static, str>;

impl ApiError {
    /// An answer of one entry. The named constructors are to be preferred.
    pub fn new(status: StatusCode, code: impl Into<Text>, detail: impl Into<Text>) -> Self {
        let entry = ErrorEntry {
            code: code.into(),
            status: status.as_str().to_owned(),
            detail: detail.into(),
            meta: None,
        };
        Self {
            status,
            entries: vec![entry],
            headers: Vec::new(),
        }
    }

    /// 401: no credential, or one that proves nothing.
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "AuthenticationException",
            "Unauthenticated.",
        )
    }

    /// 503: somebody works on the panel (client-api.md §1.18).
    pub fn maintenance() -> Self {
        const SECONDS: u16 = 60;
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "HttpException",
            "Service Unavailable",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from(SECONDS))
    }

    /// 403: a permission is missing.
    pub fn missing_permission() -> Self {
        Self::access_denied("This action is unauthorized.")
    }

    /// 403 with the sentence of an endpoint or a key's restriction.
    pub fn access_denied(detail: impl Into<Text>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDeniedHttpException", detail)
    }

    /// 403 of the few endpoints that refuse with a sentence of their own.
    pub fn forbidden(detail: impl Into<Text>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "HttpForbiddenException", detail)
    }

    /// 404: a route parameter or a looked-up record does not exist.
    pub fn not_found() -> Self {
        Self::not_found_because("The requested resource could not be found on the server.")
    }

    /// 404: the server exists, but the caller may not know.
    pub fn no_such_server_for_caller() -> Self {
        Self::not_found_because("The requested resource does not exist on this server.")
    }

    /// 404: no route has this path, which is given without its leading slash.
    pub fn no_route(path: &str) -> Self {
        Self::not_found_because(format!("The route {path} could not be found."))
    }

    fn not_found_because(detail: impl Into<Text>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFoundHttpException", detail)
    }

    /// 405: the path exists, but not with this method. `allowed` is a list such as `GET, HEAD`.
    pub fn method_not_allowed(method: &str, path: &str, allowed: &str) -> Self {
        let detail = format!(
            "The {method} method is not supported for route {path}. Supported methods: {allowed}."
        );
        let error = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowedHttpException",
            detail,
        );
        match HeaderValue::from_str(allowed) {
            Ok(allowed) => error.with_header(header::ALLOW, allowed),
            Err(_) => error,
        }
    }

    /// 400 without a class of its own.
    pub fn bad_request(detail: impl Into<Text>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequestHttpException", detail)
    }

    /// 400: the body claims to be JSON and is not.
    pub fn malformed_json(reason: &str) -> Self {
        Self::bad_request(format!(
            "The JSON data passed in the request appears to be malformed: {reason}"
        ))
    }

    /// 400: a rule of the business says no (§2.3).
    pub fn display(code: &'static str, detail: impl Into<Text>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 409: the server is in no state for this.
    pub fn state_conflict(detail: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, "ServerStateConflictException", detail)
    }

    /// 413: the body is longer than any that is accepted.
    pub fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "PostTooLargeException",
            "The POST data is too large.",
        )
    }

    /// 419: a request with a session cookie does not prove that it comes from our own page.
    pub fn csrf_mismatch() -> Self {
        const PAGE_EXPIRED: u16 = 419;
        let status = StatusCode::from_u16(PAGE_EXPIRED).unwrap_or(StatusCode::FORBIDDEN);
        Self::new(status, "HttpException", "CSRF token mismatch.")
    }

    /// 422: fields were refused.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let entries = errors.into_iter().map(|error| ErrorEntry {
            code: "ValidationException".into(),
            status: StatusCode::UNPROCESSABLE_ENTITY.as_str().to_owned(),
            detail: error.detail.into(),
            meta: Some(ErrorMeta {
                source_field: error.field,
                rule: error.rule.to_owned(),
            }),
        });
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            entries: entries.collect(),
            headers: Vec::new(),
        }
    }

    /// 422: one field was refused by something that is no rule.
    pub fn refused_field(field: &str, detail: impl Into<String>) -> Self {
        Self::validation(vec![FieldError::custom(field, detail)])
    }

    /// 429: the rate limit. The limiter adds its headers.
    pub fn too_many_attempts() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "ThrottleRequestsException",
            "Too Many Attempts.",
        )
    }

    /// 429: an endpoint's own limit.
    pub fn too_many_requests(detail: impl Into<Text>) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequestsHttpException",
            detail,
        )
    }

    /// 429: too many sign-ins of one account from one address failed. The body says 422, which
    /// clients of the reference know (client-api.md §7.1).
    pub fn too_many_sign_ins(seconds: u64) -> Self {
        let detail = format!("Too many login attempts. Please try again in {seconds} seconds.");
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            ..Self::refused_field("email", detail)
        }
    }

    /// 500: our own failure. The cause is for the log, never for the caller.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %Causes(cause), "a request failed inside the panel");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Exception", UNEXPECTED)
    }

    /// 502: a service that is neither ours nor a node failed. The cause is for the log.
    pub fn bad_gateway(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %Causes(cause), "a service that the panel needs failed");
        Self::new(StatusCode::BAD_GATEWAY, "HttpException", UNEXPECTED)
    }

    /// 503: someone must try again soon.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "HttpException",
            "Service Unavailable",
        )
    }

    /// A call to a node failed (§2.5).
    pub fn daemon(error: &NodeError) -> Self {
        log_node_failure(error);
        let passed_on =
            |status, detail: String| Self::new(status, "DaemonConnectionException", detail);
        match error {
            NodeError::Io(_) => passed_on(StatusCode::GATEWAY_TIMEOUT, NO_CONNECTION.to_owned()),
            NodeError::Refused {
                status,
                error: Some(sentence),
                request_id,
            } if status.is_client_error() => {
                let request_id = request_id.as_deref().unwrap_or_default();
                // The daemon's sentence ends in a period of its own: `..` is what clients see.
                passed_on(
                    *status,
                    format!(
                        "An error occurred on the remote host: {sentence}. (request id: {request_id})"
                    ),
                )
            }
            NodeError::Refused {
                status, request_id, ..
            } if status.is_client_error() => {
                let request_id = request_id.as_deref().unwrap_or_default();
                let sentence = communication_failed(*status, Some(request_id));
                passed_on(
                    *status,
                    format!(
                        "An error occurred on the remote host: {sentence}. (request id: {request_id})"
                    ),
                )
            }
            NodeError::Refused {
                status, request_id, ..
            } => passed_on(
                *status,
                communication_failed(*status, request_id.as_deref()),
            ),
            NodeError::Malformed {
                status, request_id, ..
            } => passed_on(
                StatusCode::BAD_GATEWAY,
                communication_failed(*status, request_id.as_deref()),
            ),
        }
    }

    /// A call to a node failed where every failure is a time-out (§2.5, `resources`).
    pub fn daemon_timeout(error: &NodeError) -> Self {
        log_node_failure(error);
        let detail = match error {
            NodeError::Io(_) => NO_CONNECTION.to_owned(),
            NodeError::Refused {
                status, request_id, ..
            }
            | NodeError::Malformed {
                status, request_id, ..
            } => communication_failed(*status, request_id.as_deref()),
        };
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "DaemonConnectionException",
            detail,
        )
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// What the reference says about every failure that it did not foresee.
pub(crate) const UNEXPECTED: &str =
    "An unexpected error was encountered while processing this request, please try again.";
const NO_CONNECTION: &str =
    "Could not establish a connection to the machine running this server. Please try again.";

/// A refusal is most often the caller's mistake, such as a file that does not exist; everything else
/// is for the operator to see.
fn log_node_failure(error: &NodeError) {
    match error {
        NodeError::Refused { status, .. } if status.is_client_error() => {
            tracing::debug!(%error, "a node refused a call");
        }
        _ => tracing::warn!(%error, "a call to a node failed"),
    }
}

fn communication_failed(status: StatusCode, request_id: Option<&str>) -> String {
    format!(
        "There was an error while communicating with the machine running this server. This error \
         has been logged, please try again. (code: {}) (request_id: {})",
        status.as_u16(),
        request_id.unwrap_or_default()
    )
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json_response(&ErrorDocument {
            errors: self.entries,
        });
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<hatchery_store::StoreError> for ApiError {
    fn from(error: hatchery_store::StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<NodeError> for ApiError {
    fn from(error: NodeError) -> Self {
        Self::daemon(&error)
    }
}

/// An error and all its causes on one line.
struct Causes<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(error: &ApiError) -> (u16, &str) {
        (error.status.as_u16(), &error.entries[0].detail)
    }

    #[test]
    fn failures_of_a_node_in_the_words_of_the_specification() {
        let refused = |status, error: Option<&str>| NodeError::Refused {
            status: StatusCode::from_u16(status).unwrap(),
            error: error.map(str::to_owned),
            request_id: Some("r1".to_owned()),
        };
        assert_eq!(
            detail(&ApiError::daemon(&refused(404, Some("Not here.")))),
            (
                404,
                "An error occurred on the remote host: Not here.. (request id: r1)"
            )
        );
        assert_eq!(
            detail(&ApiError::daemon(&refused(503, Some("hidden")))),
            (
                503,
                "There was an error while communicating with the machine running this server. This \
                 error has been logged, please try again. (code: 503) (request_id: r1)"
            )
        );
        assert_eq!(
            ApiError::daemon_timeout(&refused(404, None))
                .status
                .as_u16(),
            504
        );
        let silent = NodeError::Io(hatchery_node_proto::NodeIoError::TimedOut);
        assert_eq!(detail(&ApiError::daemon(&silent)), (504, NO_CONNECTION));
        let odd = NodeError::Malformed {
            status: StatusCode::OK,
            reason: String::new(),
            request_id: None,
        };
        assert_eq!(
            detail(&ApiError::daemon(&odd)),
            (
                502,
                "There was an error while communicating with the machine running this server. This \
                 error has been logged, please try again. (code: 200) (request_id: )"
            )
        );
    }
}
