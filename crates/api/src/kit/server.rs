//! The server that an address names, and what lies beneath it, as arguments of a handler that prove
//! what was checked.

use axum::extract::FromRequestParts;
use hatchery_app::Cx;
use hatchery_app::access::{Access, Conflict, Member, Needs, find_server};
use hatchery_store::ServerSnapshot;
use http::request::Parts;

use super::actor::{Account, LetIn, Segments};
use super::error::ApiError;
use crate::Api;

/// A server that the caller may use: it exists, they may know of it, it is in no conflict, and they
/// have the permission `P`.
#[derive(Debug)]
pub struct Server<P = Member>(pub Access<P>);

/// A [`Server`] and what the address names beneath it, such as one of its schedules.
#[derive(Debug)]
pub struct ServerWith<C, P = Member>(pub Access<P>, pub C);

/// A server that the caller may know of, whatever its state.
#[derive(Debug)]
pub struct ServerInAnyState(pub Access);

/// A record that an address names beneath a server. It is looked up before anybody asks whether the
/// caller may know of the server (client-api.md §1.3, steps 8 to 12).
pub trait Child: Sized + Send {
    /// Finds it, or says that it does not exist.
    fn find(
        cx: &Cx,
        server: &ServerSnapshot,
        segments: &Segments,
    ) -> impl Future<Output = Result<Self, ApiError>> + Send;

    /// Refuses a record that was found, but belongs to another server.
    fn check_belongs_to(&self, _: &ServerSnapshot) -> Result<(), ApiError> {
        Ok(())
    }
}

/// For addresses that name nothing but the server.
impl Child for () {
    async fn find(_: &Cx, _: &ServerSnapshot, _: &Segments) -> Result<Self, ApiError> {
        Ok(())
    }
}

/// Finds what the address names and lets nobody see it who may not know of the server.
async fn reach<C: Child>(parts: &mut Parts, api: &Api) -> Result<(Access, C), ApiError> {
    let let_in = LetIn::from_request_parts(parts, api).await?;
    let Ok(segments) = Segments::from_request_parts(parts, api).await;
    let name = segments.get("server").unwrap_or_default();
    let server = find_server(&api.cx, name)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let child = C::find(&api.cx, &server, &segments).await?;
    let Account(actor) = Account::of(let_in)?;
    let access = Access::of(&api.cx, actor, server).await?;
    let access = access.ok_or_else(ApiError::no_such_server_for_caller)?;
    Ok((access, child))
}

impl FromRequestParts<Api> for ServerInAnyState {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let (access, ()) = reach(parts, api).await?;
        Ok(Self(access))
    }
}

impl<C: Child, P: Needs> FromRequestParts<Api> for ServerWith<C, P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let (access, child) = reach::<C>(parts, api).await?;
        if let Some(conflict) = access.conflict() {
            return Err(conflict.into());
        }
        child.check_belongs_to(&access.server)?;
        let access = access.with().map_err(|_| ApiError::missing_permission())?;
        Ok(Self(access, child))
    }
}

impl<P: Needs> FromRequestParts<Api> for Server<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let ServerWith(access, ()) = ServerWith::from_request_parts(parts, api).await?;
        Ok(Self(access))
    }
}

impl From<Conflict> for ApiError {
    fn from(conflict: Conflict) -> Self {
        Self::state_conflict(conflict.sentence())
    }
}
