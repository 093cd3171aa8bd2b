//! Public keys for SFTP: read from the forms in which people have them, written in the one in which
//! they are kept (client-api.md §3.2.12 and §4.4). Pure.

mod der;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use der::{Der, bit_string, integer, object, sequence};

/// The longest text that is read: an RSA key of 16,384 bits has a tenth of it.
const MAX_TEXT: usize = 64 * 1024;
/// How many characters a line of PEM has.
const PEM_LINE: usize = 64;

const RSA: &str = "ssh-rsa";
const ED25519: &str = "ssh-ed25519";
const DSA: &str = "ssh-dss";

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshPublicKey(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Both numbers without leading zeros.
    Rsa {
        exponent: Vec<u8>,
        modulus: Vec<u8>,
    },
    Ed25519([u8; 32]),
    /// The point in its long form.
    Ecdsa {
        curve: Curve,
        point: Vec<u8>,
    },
    /// Read to be refused by name; nothing of it is kept.
    Dsa,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    const fn name(self) -> &'static str {
        match self {
            Self::P256 => "nistp256",
            Self::P384 => "nistp384",
            Self::P521 => "nistp521",
        }
    }

    /// The bytes of its object identifier.
    const fn oid(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }

    /// How many bytes one coordinate has.
    const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const OID_DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];

/// The text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no public key: paste the contents of a .pub file")]
pub struct ParseSshKey;

impl FromStr for SshPublicKey {
    type Err = ParseSshKey;

    /// Reads an OpenSSH line, the SSH2 form of RFC 4716, or PEM: `PUBLIC KEY` and `RSA PUBLIC KEY`.
    fn from_str(text: &str) -> Result<Self, ParseSshKey> {
        if text.len() > MAX_TEXT {
            return Err(ParseSshKey);
        }
        let text = text.trim();
        let read = if text.starts_with("-----BEGIN PUBLIC KEY-----") {
            armoured(text, "PUBLIC KEY").and_then(|der| from_subject_public_key_info(&der))
        } else if text.starts_with("-----BEGIN RSA PUBLIC KEY-----") {
            armoured(text, "RSA PUBLIC KEY").and_then(|der| rsa_from_der(&der))
        } else if text.starts_with("---- BEGIN SSH2 PUBLIC KEY ----") {
            ssh2(text).and_then(|blob| from_blob(&blob, None))
        } else {
            from_line(text)
        };
        read.map(Self).ok_or(ParseSshKey)
    }
}

impl SshPublicKey {
    /// The fewest bits that an RSA key must have.
    pub const MIN_RSA_BITS: usize = 2048;

    /// Whether it is a DSA key, which nobody should use.
    pub const fn is_dsa(&self) -> bool {
        matches!(self.0, Kind::Dsa)
    }

    /// Whether it is an RSA key that is too short.
    pub fn is_short_rsa(&self) -> bool {
        matches!(&self.0, Kind::Rsa { modulus, .. } if bits(modulus) < Self::MIN_RSA_BITS)
    }

    /// SHA-256 of the key as OpenSSH writes it, in base 64 without padding.
    pub fn fingerprint(&self) -> String {
        STANDARD_NO_PAD.encode(Sha256::digest(self.blob()))
    }

    /// `SubjectPublicKeyInfo` as PEM, with CRLF between the lines and nothing after the last.
    pub fn to_pem(&self) -> String {
        let body = STANDARD.encode(self.subject_public_key_info());
        let mut lines = vec!["-----BEGIN PUBLIC KEY-----"];
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, next) = rest.split_at(rest.len().min(PEM_LINE));
            lines.push(line);
            rest = next;
        }
        lines.push("-----END PUBLIC KEY-----");
        lines.join("\r\n")
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        let mut put = |bytes: &[u8]| {
            // No part is longer than what was read.
            blob.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
            blob.extend_from_slice(bytes);
        };
        match &self.0 {
            Kind::Rsa { exponent, modulus } => {
                put(RSA.as_bytes());
                put(&der::unsigned(exponent));
                put(&der::unsigned(modulus));
            }
            Kind::Ed25519(key) => {
                put(ED25519.as_bytes());
                put(key);
            }
            Kind::Ecdsa { curve, point } => {
                put(format!("ecdsa-sha2-{}", curve.name()).as_bytes());
                put(curve.name().as_bytes());
                put(point);
            }
            Kind::Dsa => put(DSA.as_bytes()),
        }
        blob
    }

    fn subject_public_key_info(&self) -> Vec<u8> {
        let info =
            |algorithm: &[&[u8]], key: &[u8]| sequence(&[&sequence(algorithm), &bit_string(key)]);
        match &self.0 {
            Kind::Rsa { exponent, modulus } => info(
                &[&object(OID_RSA), der::NULL],
                &sequence(&[&integer(modulus), &integer(exponent)]),
            ),
            Kind::Ed25519(key) => info(&[&object(OID_ED25519)], key),
            Kind::Ecdsa { curve, point } => info(&[&object(OID_EC), &object(curve.oid())], point),
            Kind::Dsa => info(&[&object(OID_DSA)], &[]),
        }
    }
}

impl fmt::Display for SshPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_pem())
    }
}

/// How many bits a number without leading zeros has.
fn bits(number: &[u8]) -> usize {
    number
        .first()
        .map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

/// A line of OpenSSH: type, key, comment.
fn from_line(line: &str) -> Option<Kind> {
    if line.contains(['\n', '\r']) {
        return None;
    }
    let mut words = line.split_ascii_whitespace();
    let (first, second) = (words.next()?, words.next());
    let (name, key) = match second {
        Some(key) => (Some(first), key),
        None => (None, first),
    };
    from_blob(&decode(key)?, name)
}

/// The form of RFC 4716: headers, whose lines a backslash continues, then base 64.
fn ssh2(text: &str) -> Option<Vec<u8>> {
    let mut lines = text.lines().map(str::trim_end).skip(1);
    let mut body = String::new();
    let mut continued = false;
    loop {
        let line = lines.next()?;
        if line == "---- END SSH2 PUBLIC KEY ----" {
            return decode(&body);
        }
        if continued || line.contains(':') {
            continued = line.ends_with('\\');
        } else {
            body.push_str(line);
        }
    }
}

fn armoured(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text
        .strip_prefix(&format!("-----BEGIN {label}-----"))?
        .strip_suffix(&format!("-----END {label}-----"))?;
    let body: String = body.split_ascii_whitespace().collect();
    decode(&body)
}

/// Base 64, padded or not.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// The binary form of SSH; `name` is what was written beside it, which must be the same type.
fn from_blob(blob: &[u8], name: Option<&str>) -> Option<Kind> {
    let mut rest = blob;
    let kind = take(&mut rest)?;
    let kind = std::str::from_utf8(kind).ok()?;
    if name.is_some_and(|name| name != kind) {
        return None;
    }
    let read = match kind {
        RSA => {
            let (exponent, modulus) = (take(&mut rest)?, take(&mut rest)?);
            rsa(exponent, modulus)?
        }
        ED25519 => Kind::Ed25519(take(&mut rest)?.try_into().ok()?),
        DSA => {
            for _ in ["p", "q", "g", "y"] {
                take(&mut rest).filter(|number| !number.is_empty())?;
            }
            Kind::Dsa
        }
        _ => {
            let curve = kind.strip_prefix("ecdsa-sha2-")?;
            let curve = Curve::ALL.into_iter().find(|known| known.name() == curve)?;
            if take(&mut rest)? != curve.name().as_bytes() {
                return None;
            }
            ecdsa(curve, take(&mut rest)?)?
        }
    };
    rest.is_empty().then_some(read)
}

/// A part of SSH's binary form: its length in four bytes, then it.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (part, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

fn rsa(exponent: &[u8], modulus: &[u8]) -> Option<Kind> {
    let positive = |number: &[u8]| {
        let negative = number.first().is_some_and(|first| first & 0x80 != 0);
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let digits = number.get(zeros..)?.to_vec();
        (!negative && !digits.is_empty()).then_some(digits)
    };
    Some(Kind::Rsa {
        exponent: positive(exponent)?,
        modulus: positive(modulus)?,
    })
}

fn ecdsa(curve: Curve, point: &[u8]) -> Option<Kind> {
    /// How a point in its long form begins.
    const LONG_FORM: u8 = 4;
    let whole = point.len() == 1 + 2 * curve.size() && point.first() == Some(&LONG_FORM);
    whole.then(|| Kind::Ecdsa {
        curve,
        point: point.to_vec(),
    })
}

fn rsa_from_der(der: &[u8]) -> Option<Kind> {
    let mut key = Der::whole_sequence(der)?;
    let (modulus, exponent) = (key.integer()?, key.integer()?);
    key.end()?;
    rsa(exponent, modulus)
}

fn from_subject_public_key_info(der: &[u8]) -> Option<Kind> {
    let mut info = Der::whole_sequence(der)?;
    let mut algorithm = info.sequence()?;
    let key = info.bit_string()?;
    info.end()?;
    match algorithm.object()? {
        OID_RSA => rsa_from_der(key),
        OID_ED25519 => Some(Kind::Ed25519(key.try_into().ok()?)),
        OID_EC => {
            let oid = algorithm.object()?;
            let curve = Curve::ALL.into_iter().find(|known| known.oid() == oid)?;
            ecdsa(curve, key)
        }
        OID_DSA => Some(Kind::Dsa),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
