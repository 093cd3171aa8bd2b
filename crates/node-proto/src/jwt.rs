//! Signed tokens that a browser carries from the panel to a node (node-protocol.md §3.8).
//!
//! HS256 and nothing else: the header's algorithm is compared, never obeyed. A token has one
//! purpose, and whoever verifies names the purpose that is wanted. Single use and revocation are
//! the node's matter.

mod claims;
mod signature;

pub use claims::{
    BackupDownload, Claims, FileDownload, FileUpload, Grant, Purpose, Websocket, pair_id,
};

use hatchery_vocab::Timestamp;

use crate::NodeToken;

/// The longest token that is looked at, in bytes: a list of permissions fits many times.
pub const MAX_TOKEN: usize = 16 * 1024;

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// It is not three parts of base64 and JSON with the claims of the protocol.
    #[error("the token is malformed")]
    Malformed,
    /// It was not signed with this node's secret.
    #[error("the token's signature is invalid")]
    Signature,
    /// It has another purpose.
    #[error("the token was made for another purpose")]
    Purpose,
    /// It has ended.
    #[error("the token has expired")]
    Expired,
    /// It is not valid yet.
    #[error("the token is not valid yet")]
    Early,
}

/// Signs a token for the purpose `P`.
pub fn issue<P: Purpose>(key: &NodeToken, grant: Grant<'_>, purpose: P) -> String {
    let claims = Claims::new(grant, purpose);
    signature::sign(key, &claims.jti, &claims)
}

/// Reads a token that was made for the purpose `P` and is valid now.
pub fn verify<P: Purpose>(
    key: &NodeToken,
    token: &str,
    now: Timestamp,
) -> Result<Claims<P>, JwtError> {
    if token.len() > MAX_TOKEN {
        return Err(JwtError::Malformed);
    }
    let payload = signature::open(key, token)?;
    // The purpose comes first: a token of another kind also lacks claims of this one.
    let scope: claims::ScopeOnly =
        serde_json::from_slice(&payload).map_err(|_| JwtError::Malformed)?;
    if !scope.allows(P::SCOPE) {
        return Err(JwtError::Purpose);
    }
    let claims: Claims<P> = serde_json::from_slice(&payload).map_err(|_| JwtError::Malformed)?;
    if now.seconds() > claims.exp {
        return Err(JwtError::Expired);
    }
    if now.seconds() < claims.nbf {
        return Err(JwtError::Early);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests;
