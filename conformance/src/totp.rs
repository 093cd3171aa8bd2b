//! One-time codes, for requests that were recorded with a code of their own time.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Seconds for which a code is valid.
const STEP: u64 = 30;

/// The code of this moment for a secret in base32.
pub(crate) fn code(secret: &str) -> Option<String> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    at(secret, seconds)
}

fn at(secret: &str, seconds: u64) -> Option<String> {
    let key = base32(secret)?;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).ok()?;
    mac.update(&(seconds / STEP).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let start = usize::from(*digest.last()? & 15);
    let word = digest.get(start..start + 4)?;
    let number = u32::from_be_bytes(word.try_into().ok()?) & 0x7fff_ffff;
    Some(format!("{:06}", number % 1_000_000))
}

fn base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for character in text.bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'2'..=b'7' => character - b'2' + 26,
            _ => return None,
        };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(super::at(secret, 59).as_deref(), Some("287082"));
        assert_eq!(super::at(secret, 1_111_111_109).as_deref(), Some("081804"));
    }
}
