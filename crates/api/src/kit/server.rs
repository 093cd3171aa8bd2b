//! The server that an address names, as an argument of a handler that proves what was checked.

use axum::extract::FromRequestParts;
use hatchery_app::access::Conflict;
use hatchery_app::access::{Access, Member, Needs, find_server};
use http::request::Parts;

use super::actor::{Account, LetIn, Segments};
use super::error::ApiError;
use crate::Api;

/// A server that the caller may use: it exists, they may know of it, it is in no conflict, and they
/// have the permission `P`.
#[derive(Debug)]
pub struct Server<P = Member>(pub Access<P>);

/// A server that the caller may know of, whatever its state.
#[derive(Debug)]
pub struct ServerInAnyState(pub Access);

impl FromRequestParts<Api> for ServerInAnyState {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let let_in = LetIn::from_request_parts(parts, api).await?;
        let Ok(segments) = Segments::from_request_parts(parts, api).await;
        let name = segments.get("server").unwrap_or_default();
        let server = find_server(&api.cx, name)
            .await?
            .ok_or_else(ApiError::not_found)?;
        let Account(actor) = Account::of(let_in)?;
        let access = Access::of(&api.cx, actor, server).await?;
        access
            .map(Self)
            .ok_or_else(ApiError::no_such_server_for_caller)
    }
}

impl<P: Needs> FromRequestParts<Api> for Server<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let ServerInAnyState(access) = ServerInAnyState::from_request_parts(parts, api).await?;
        if let Some(conflict) = access.conflict() {
            return Err(conflict.into());
        }
        access
            .with()
            .map(Self)
            .map_err(|_| ApiError::missing_permission())
    }
}

impl From<Conflict> for ApiError {
    fn from(conflict: Conflict) -> Self {
        Self::state_conflict(conflict.sentence())
    }
}
