//! Who asks, as an argument of a handler.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use hatchery_app::Actor;
use http::request::Parts;

use super::error::ApiError;

/// The person who asks, with a credential for this interface. An application key is refused here,
/// since that check comes after the look-up of what the address names (client-api.md §1.3).
#[derive(Clone, Debug)]
pub struct Account(pub Arc<Actor>);

/// The person that the gate let in, whatever their credential opens.
#[derive(Clone, Debug)]
pub(crate) struct LetIn(pub(crate) Arc<Actor>);

impl Account {
    pub(crate) fn of(LetIn(actor): LetIn) -> Result<Self, ApiError> {
        if actor.has_application_key() {
            return Err(ApiError::access_denied(
                "You are attempting to use an application API key on an endpoint that requires a client API key.",
            ));
        }
        Ok(Self(actor))
    }
}

impl<S: Sync> FromRequestParts<S> for LetIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Without the gate in front of it a route lets nobody in.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(ApiError::unauthenticated)
    }
}

impl<S: Sync> FromRequestParts<S> for Account {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Self::of(LetIn::from_request_parts(parts, state).await?)
    }
}

/// A segment of the address, decoded. Segments that are no text name nothing that exists.
#[derive(Clone, Debug)]
pub struct Segments(Vec<(String, String)>);

impl Segments {
    /// The segment that the route calls so.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let segments = axum::extract::RawPathParams::from_request_parts(parts, state).await;
        Ok(Self(segments.map_or_else(
            |_| Vec::new(),
            |segments| {
                segments
                    .iter()
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect()
            },
        )))
    }
}
