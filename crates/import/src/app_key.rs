//! The key of a Pterodactyl panel, and the envelopes that it seals secrets in
//! (client-api.md §1.4): AES-256 in CBC mode, authenticated by HMAC-SHA256.

use std::fmt;

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use hatchery_store::Secret;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

const KEY_BYTES: usize = 32;
const IV_BYTES: usize = 16;

/// The text is not an `APP_KEY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an APP_KEY is `base64:` and 44 characters, for 32 bytes: copy it from the .env of that panel"
)]
pub struct AppKeyError;

/// The key of a panel.
#[derive(Clone)]
pub struct AppKey([u8; KEY_BYTES]);

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey(…)")
    }
}

/// What is sealed cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    /// It is no envelope at all.
    #[error("is not a sealed value")]
    Shape,
    /// Another key sealed it, or it was changed.
    #[error("was sealed by another APP_KEY")]
    Key,
}

#[derive(Deserialize)]
struct Envelope {
    iv: String,
    value: String,
    mac: String,
}

impl AppKey {
    /// Reads the line of the `.env` file, with or without `APP_KEY=` and quotes. A key without
    /// `base64:` stands for its own bytes.
    pub fn parse(text: &str) -> Result<Self, AppKeyError> {
        let text = text.trim();
        let text = text.strip_prefix("APP_KEY=").unwrap_or(text);
        let text = text.trim_matches(['"', '\'']);
        let bytes = match text.strip_prefix("base64:") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| AppKeyError)?,
            None => text.as_bytes().to_vec(),
        };
        bytes.try_into().map(Self).map_err(|_| AppKeyError)
    }

    #[cfg(feature = "testing")]
    pub(crate) const fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Opens an envelope.
    pub(crate) fn open(&self, sealed: &str) -> Result<Secret, OpenError> {
        let json = STANDARD
            .decode(sealed.trim())
            .map_err(|_| OpenError::Shape)?;
        let envelope: Envelope = serde_json::from_slice(&json).map_err(|_| OpenError::Shape)?;
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| OpenError::Shape);
        let mac = unhex(&envelope.mac).ok_or(OpenError::Shape)?;
        let mut expected = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| OpenError::Shape)?;
        expected.update(envelope.iv.as_bytes());
        expected.update(envelope.value.as_bytes());
        // Takes the same time wherever the two differ.
        expected.verify_slice(&mac).map_err(|_| OpenError::Key)?;
        let iv: [u8; IV_BYTES] = decode(&envelope.iv)?
            .try_into()
            .map_err(|_| OpenError::Shape)?;
        let mut bytes = decode(&envelope.value)?;
        let plain = Decryptor::<Aes256>::new(&self.0.into(), &iv.into())
            .decrypt_padded::<Pkcs7>(&mut bytes)
            .map_err(|_| OpenError::Shape)?;
        let plain = std::str::from_utf8(plain).map_err(|_| OpenError::Shape)?;
        Ok(Secret::new(unserialized(plain)))
    }
}

/// The text within PHP's serialized form `s:5:"hello";`. Other text stands for itself: the panel
/// has sealed some values without that form.
fn unserialized(text: &str) -> &str {
    fn inner(text: &str) -> Option<&str> {
        let (length, rest) = text.strip_prefix("s:")?.split_once(':')?;
        let content = rest.strip_prefix('"')?.strip_suffix("\";")?;
        (length.parse() == Ok(content.len())).then_some(content)
    }
    inner(text).unwrap_or(text)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}
