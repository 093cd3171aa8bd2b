//! Three parts of base64url, the last of which is an HMAC over the first two.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::JwtError;
use crate::NodeToken;

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    #[serde(default)]
    typ: &'a str,
    alg: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
}

/// The only algorithm.
const ALGORITHM: &str = "HS256";

/// Signs claims.
pub(super) fn sign<T: Serialize>(key: &NodeToken, jti: &str, claims: &T) -> String {
    let header = Header {
        typ: "JWT",
        alg: ALGORITHM,
        jti: Some(jti),
    };
    let mut token = part(&header);
    token.push('.');
    token.push_str(&part(claims));
    let tag = mac(key, &token).finalize().into_bytes();
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(tag, &mut token);
    token
}

/// Checks algorithm and signature, and returns the payload's JSON.
pub(super) fn open(key: &NodeToken, token: &str) -> Result<Vec<u8>, JwtError> {
    let (signed, tag) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(JwtError::Malformed)?;
    let header = decode(header)?;
    let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| JwtError::Malformed)?;
    if header.alg != ALGORITHM {
        return Err(JwtError::Signature);
    }
    mac(key, signed)
        .verify_slice(&decode(tag)?)
        .map_err(|_| JwtError::Signature)?;
    decode(payload)
}

fn mac(key: &NodeToken, signed: &str) -> Hmac<Sha256> {
    // HMAC takes a key of any length; the fallback is unreachable and signs nothing that verifies
    // elsewhere.
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
    mac.update(signed.as_bytes());
    mac
}

fn part<T: Serialize>(value: &T) -> String {
    // Claims are strings and integers, which always serialise.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default())
}

fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| JwtError::Malformed)
}
