//! Randomness.

use std::fmt;
use std::num::NonZeroU32;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);

    /// So many characters of `A–Z a–z 0–9`, each as likely as the others.
    fn alphanumeric(&self, length: usize) -> String {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        // Bytes from 248 on would favour the first letters, so they are thrown away.
        const FAIR: u8 = 248;
        let mut text = String::with_capacity(length);
        let mut buffer = [0; 64];
        while text.len() < length {
            self.fill(&mut buffer);
            let missing = length - text.len();
            text.extend(
                buffer
                    .iter()
                    .filter(|byte| **byte < FAIR)
                    .take(missing)
                    .map(|byte| char::from(ALPHABET[usize::from(byte % 62)])),
            );
        }
        text
    }

    /// The place of one of so many things, each as likely as the others to about one in 2³².
    fn index(&self, length: NonZeroU32) -> usize {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        let remainder = u64::from_le_bytes(bytes) % u64::from(length.get());
        usize::try_from(remainder).unwrap_or_default()
    }

    /// A random UUID (version 4).
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's randomness"
    )]
    #[expect(
        clippy::panic,
        reason = "a system without randomness can run nothing safely"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            panic!("the operating system gives no random bytes: {error}");
        }
    }
}

/// The same bytes for the same seed, for tests: SHA-256 over the seed and a counter.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: Mutex<u64>,
}

impl SeededEntropy {
    /// The source for this seed.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: Mutex::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let mut counter = self.counter.lock();
        for chunk in buffer.chunks_mut(32) {
            let block = Sha256::new()
                .chain_update(self.seed.to_le_bytes())
                .chain_update(counter.to_le_bytes())
                .finalize();
            *counter += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_differs_from_others() {
        let text = |seed| SeededEntropy::new(seed).alphanumeric(500);
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
        assert_eq!(text(1).len(), 500);
        assert!(text(1).bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_uuid_is_of_version_four() {
        assert_eq!(SystemEntropy.uuid().get_version_num(), 4);
    }
}
