//! The query string, as the protocol's routes read it.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use hatchery_serverfs::{FsError, RelPath};

use crate::http::{ApiError, ApiResult};

/// The query's parameters. There is no such thing as a wrong one: unknown names are ignored, and of
/// several of one name the first counts.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameter of this name; empty when it is missing.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// Whether there is a parameter of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The path in the parameter of this name; the server's folder when it is missing.
    pub(super) fn path(&self, name: &str) -> ApiResult<RelPath> {
        RelPath::parse(self.get(name)).map_err(|error| FsError::from(error).into())
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let query = Query::try_from_uri(&parts.uri).map_err(|_| ApiError::unreadable())?;
        Ok(Self(query.0))
    }
}
