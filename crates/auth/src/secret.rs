//! Random texts that only their holder may know, and what is stored of them.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of a secret: the only trace of it that is stored.
///
/// A fast hash is enough, since every secret hashed so is a long random text; passwords go
/// through [`crate::Passwords`] instead.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; Self::LEN]);

impl SecretDigest {
    /// How many bytes a digest has.
    pub const LEN: usize = 32;

    /// The digest of a secret text.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// A digest that was stored; nothing unless it has [`Self::LEN`] bytes.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes to store, or to look up by.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Whether the presented text is the secret, in time that does not depend on where they differ.
    pub fn matches(&self, presented: &str) -> bool {
        *self == Self::of(presented)
    }
}

impl PartialEq for SecretDigest {
    /// Compares in constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretDigest {}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

/// Declares a random text whose `Debug` form is its name alone.
macro_rules! secret_texts {
    ($($(#[$doc:meta])* $name:ident($length:expr))*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(String);

        impl $name {
            /// How many characters a generated one has.
            pub const LEN: usize = $length;

            /// A new random one: letters and digits.
            pub fn generate(entropy: &dyn hatchery_ambient::Entropy) -> Self {
                Self(entropy.alphanumeric(Self::LEN))
            }

            /// The text itself, to hand to its owner once.
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// What is stored of it.
            pub fn digest(&self) -> $crate::SecretDigest {
                $crate::SecretDigest::of(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

pub(crate) use secret_texts;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_knows_its_secret_and_no_other() {
        let digest = SecretDigest::of("abc");
        assert!(digest.matches("abc"));
        for other in ["", "ab", "abcd", "Abc"] {
            assert!(!digest.matches(other), "{other}");
        }
        assert_eq!(SecretDigest::from_stored(digest.as_bytes()), Some(digest));
        assert_eq!(SecretDigest::from_stored(&[0; 31]), None);
        // The first and last bytes of FIPS 180-4's example.
        assert_eq!((digest.as_bytes()[0], digest.as_bytes()[31]), (0xba, 0xad));
    }

    #[test]
    fn a_digest_does_not_print_itself() {
        assert_eq!(format!("{:?}", SecretDigest::of("abc")), "SecretDigest(…)");
    }
}
