//! API keys: 16 public characters by which a key is found, and 32 secret ones that prove it
//! (client-api.md §1.4).

use std::fmt;
use std::str::FromStr;

use hatchery_ambient::Entropy;

use crate::secret::{SecretDigest, secret_texts};

/// Which interface a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The client API, as the user whose key it is.
    Client,
    /// The application API.
    Application,
}

impl KeyKind {
    /// How identifiers of this kind begin.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Client => "ptlc_",
            Self::Application => "ptla_",
        }
    }
}

/// The public half of a key: 16 printable ASCII characters.
///
/// New ones begin with the prefix of their [`KeyKind`]; keys of old panels have none and keep
/// working, so the prefix decides nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIdentifier([u8; Self::LEN]);

impl KeyIdentifier {
    /// How many characters an identifier has.
    pub const LEN: usize = 16;

    /// A new random identifier.
    pub fn generate(kind: KeyKind, entropy: &dyn Entropy) -> Self {
        let prefix = kind.prefix().as_bytes();
        let (mut characters, random) = (
            [0; Self::LEN],
            entropy.alphanumeric(Self::LEN - prefix.len()),
        );
        characters[..prefix.len()].copy_from_slice(prefix);
        characters[prefix.len()..].copy_from_slice(random.as_bytes());
        Self(characters)
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever stored, so the fallback is unreachable.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The text is not the identifier of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identifier of an API key has 16 printable characters")]
pub struct ParseKeyIdentifier;

impl FromStr for KeyIdentifier {
    type Err = ParseKeyIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let characters: [u8; Self::LEN] =
            text.as_bytes().try_into().map_err(|_| ParseKeyIdentifier)?;
        if characters.iter().all(u8::is_ascii_graphic) {
            Ok(Self(characters))
        } else {
            Err(ParseKeyIdentifier)
        }
    }
}

impl fmt::Display for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

secret_texts! {
    /// The secret half of a new API key.
    ApiKeySecret(32)
}

/// A key that was just made. Its secret is shown to its owner once and then forgotten.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The public half.
    pub identifier: KeyIdentifier,
    /// The secret half.
    pub secret: ApiKeySecret,
}

impl NewApiKey {
    /// A new random key.
    pub fn generate(kind: KeyKind, entropy: &dyn Entropy) -> Self {
        Self {
            identifier: KeyIdentifier::generate(kind, entropy),
            secret: ApiKeySecret::generate(entropy),
        }
    }

    /// The whole key as a client sends it. Never log this.
    pub fn expose(&self) -> String {
        format!("{}{}", self.identifier, self.secret.expose())
    }
}

/// A key that a request brought along.
#[derive(Clone, Copy)]
pub struct PresentedKey<'a> {
    /// By what the key is to be found.
    pub identifier: KeyIdentifier,
    secret: &'a str,
}

impl<'a> PresentedKey<'a> {
    /// Reads the value of an `Authorization` header. The scheme is matched with its capital, and
    /// what follows a comma is ignored (client-api.md §1.2).
    pub fn from_authorization(value: &'a str) -> Option<Self> {
        let bearer = value.strip_prefix("Bearer ")?;
        Self::from_bearer(bearer.split_once(',').map_or(bearer, |(key, _)| key))
    }

    /// Splits a bare key. The first 16 characters find it, all that follows must be its secret.
    pub fn from_bearer(key: &'a str) -> Option<Self> {
        let (identifier, secret) = key.split_at_checked(KeyIdentifier::LEN)?;
        Some(Self {
            identifier: identifier.parse().ok()?,
            secret,
        })
    }

    /// Whether this is the key whose digest was stored, in constant time.
    pub fn proves(&self, stored: &SecretDigest) -> bool {
        stored.matches(self.secret)
    }
}

impl fmt::Debug for PresentedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedKey")
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use hatchery_ambient::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    const IDENTIFIER: &str = "ptlc_hwjwyHYUuTb";
    const SECRET: &str = "ybPOGjaNCFBl82TP3NUJYJVSLECKBqc5";

    #[test]
    fn a_new_key_has_the_form_of_the_specification_and_proves_itself() {
        for (kind, prefix) in [(KeyKind::Client, "ptlc_"), (KeyKind::Application, "ptla_")] {
            let key = NewApiKey::generate(kind, &SeededEntropy::new(7));
            let text = key.expose();
            assert_eq!(text.len(), 48);
            assert!(text.starts_with(prefix));
            assert!(text[5..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
            let presented = PresentedKey::from_bearer(&text).unwrap();
            assert_eq!(presented.identifier, key.identifier);
            assert!(presented.proves(&key.secret.digest()));
            assert!(!presented.proves(&SecretDigest::of("another")));
        }
    }

    #[test]
    fn neither_a_new_nor_a_presented_key_prints_its_secret() {
        let key = NewApiKey::generate(KeyKind::Client, &SeededEntropy::new(1));
        let text = key.expose();
        let presented = PresentedKey::from_bearer(&text).unwrap();
        for printed in [
            format!("{key:?}"),
            format!("{presented:?}"),
            format!("{:?}", key.secret),
        ] {
            assert!(!printed.contains(key.secret.expose()), "{printed}");
        }
    }

    #[test]
    fn authorization_headers() {
        let whole = format!("{IDENTIFIER}{SECRET}");
        let table = [
            (format!("Bearer {whole}"), Some(true)),
            (format!("Bearer {whole}, Basic abc"), Some(true)),
            (format!("Bearer {whole},"), Some(true)),
            (format!("Bearer {whole}x"), Some(false)),
            (format!("Bearer {IDENTIFIER}"), Some(false)),
            (format!("Bearer {}", &whole[..47]), Some(false)),
            (format!("Bearer {}", whole.to_lowercase()), Some(false)),
            (format!("bearer {whole}"), None),
            (format!("BEARER {whole}"), None),
            (format!("Bearer{whole}"), None),
            (format!("Bearer  {whole}"), None),
            (format!("Token {whole}"), None),
            (format!("Basic {whole}"), None),
            (whole.clone(), None),
            ("Bearer ptlc_short".to_owned(), None),
            ("Bearer ".to_owned(), None),
            ("Bearer ptlc_hwjwyHYUué".to_owned(), None),
            (String::new(), None),
        ];
        let stored = SecretDigest::of(SECRET);
        for (header, expected) in table {
            let presented = PresentedKey::from_authorization(&header);
            assert_eq!(
                presented.map(|key| key.proves(&stored)),
                expected,
                "{header}"
            );
        }
    }

    #[test]
    fn a_key_of_an_old_panel_needs_no_prefix() {
        let text = format!("Abcdefgh01234567{SECRET}");
        let key = PresentedKey::from_bearer(&text).unwrap();
        assert_eq!(key.identifier.as_str(), "Abcdefgh01234567");
        assert!(key.proves(&SecretDigest::of(SECRET)));
    }

    proptest! {
        #[test]
        fn no_header_panics_and_what_is_read_is_what_was_sent(header in "\\PC{0,80}") {
            if let Some(key) = PresentedKey::from_authorization(&header) {
                let sent = format!("Bearer {}{}", key.identifier, key.secret);
                prop_assert!(header.starts_with(&sent));
            }
        }
    }
}
