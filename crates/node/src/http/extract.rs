//! Extractors that refuse in the protocol's form.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ApiError;
use crate::config::ClientAddress;
use crate::server::Server;
use crate::state::NodeState;

/// The server that the path names by its full UUID, in a segment called `server`.
pub(crate) struct Known(pub(crate) Arc<Server>);

impl FromRequestParts<NodeState> for Known {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &NodeState) -> Result<Self, ApiError> {
        #[derive(serde::Deserialize)]
        struct Named {
            server: String,
        }
        let Path(Named { server }) = Path::from_request_parts(parts, node)
            .await
            .map_err(|_| ApiError::unknown_server())?;
        let server = server.parse().map_err(|_| ApiError::unknown_server())?;
        node.registry
            .get(server)
            .map(Self)
            .ok_or_else(ApiError::unknown_server)
    }
}

/// A JSON body, whatever its content type says. At most axum's default of 2 MiB is read.
pub(crate) struct Payload<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<NodeState> for Payload<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, node: &NodeState) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, node)
            .await
            .map_err(|_| ApiError::unreadable())?;
        if body.is_empty() {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "The data passed in the request was not in a parsable format. Please try again.",
            ));
        }
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|_| ApiError::unreadable())
    }
}

/// The address of whoever sent the request.
pub(crate) struct Address(pub(crate) IpAddr);

impl FromRequestParts<NodeState> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &NodeState) -> Result<Self, Self::Rejection> {
        let known = parts
            .extensions
            .get::<ClientAddress>()
            .map(|address| address.0);
        let connection = || {
            parts
                .extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|info| info.0.ip())
        };
        let address = known
            .or_else(connection)
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(Self(address.to_canonical()))
    }
}

/// A JSON answer.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for JsonBody<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response(),
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }
}
