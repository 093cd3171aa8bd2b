//! Passwords: argon2id for new ones, bcrypt for those that came from another panel.
//!
//! Hashing is slow on purpose. [`Passwords`] keeps it off the async workers, runs as many at once
//! as it was told, and turns callers away when too many wait.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use hatchery_ambient::Entropy;
use tokio::sync::Semaphore;

/// How many callers may wait for their turn before others are turned away.
const MAX_WAITING: usize = 64;
/// The longest password in bytes; longer ones match nothing and cannot be set.
const MAX_PASSWORD: usize = 1024;
/// The most expensive imported bcrypt hash that is tried (2¹⁴ rounds, about a second): a higher one
/// in a hostile import must not be able to hold a worker for hours.
const MAX_BCRYPT_COST: u32 = 14;
/// The most memory in KiB, and the most passes, of an imported argon2 hash that is tried, for the
/// same reason.
const MAX_ARGON2_MEMORY: u32 = 256 * 1024;
const MAX_ARGON2_PASSES: u32 = 16;
const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

/// How much work a hash of a new password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB; at least 8 for each lane.
    pub memory_kib: u32,
    /// Passes over the memory; at least 1.
    pub passes: u32,
    /// Lanes; at least 1. They are worked on one after the other.
    pub lanes: u32,
}

impl PasswordCost {
    /// What OWASP advises for argon2id: 19 MiB, two passes, one lane.
    pub const STANDARD: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };
    /// The least work there is, for tests. Never use it for people's passwords.
    pub const CHEAPEST: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    fn params(self) -> Result<Params, PasswordError> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(OUTPUT_BYTES))
            .map_err(PasswordError::failed)
    }
}

/// Whether a password is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// It is wrong, or there is no such user.
    Wrong,
    /// It is right.
    Right,
    /// It is right, and its hash is of another kind or cost than new ones: hash it again and store
    /// that.
    RightButOutdated,
}

impl PasswordVerdict {
    /// Whether the password is right at all.
    pub const fn is_right(self) -> bool {
        matches!(self, Self::Right | Self::RightButOutdated)
    }
}

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many others wait; the caller should answer "try again soon".
    #[error("too many sign-ins at once: try again in a moment")]
    Busy,
    /// The password is longer than any that is accepted.
    #[error("a password has at most {MAX_PASSWORD} bytes")]
    TooLong,
    /// The cost is out of bounds, or the machine has no memory left.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

impl PasswordError {
    fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Hashes and checks passwords on a few threads of their own. Clones share the limit.
#[derive(Clone, Debug)]
pub struct Passwords {
    cost: PasswordCost,
    entropy: Arc<dyn Entropy>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Passwords {
    /// So many hashes at once, new ones at this cost.
    pub fn new(cost: PasswordCost, at_once: NonZeroUsize, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            cost,
            entropy,
            running: Arc::new(Semaphore::new(at_once.get())),
            waiting: Arc::new(Semaphore::new(at_once.get() + MAX_WAITING)),
        }
    }

    /// The hash to store for a new password: a PHC string of argon2id.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        if password.len() > MAX_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        let mut salt = [0; SALT_BYTES];
        self.entropy.fill(&mut salt);
        let (cost, password) = (self.cost, password.to_owned());
        self.run(move || hash(cost, &password, salt)).await?
    }

    /// Checks a password against what is stored, argon2id or bcrypt. Without a stored hash (there is
    /// no such user) the answer is [`PasswordVerdict::Wrong`] after the same amount of work, so that
    /// nobody can tell by the time whether the user exists.
    pub async fn verify(
        &self,
        password: &str,
        stored: Option<&str>,
    ) -> Result<PasswordVerdict, PasswordError> {
        let (cost, password) = (self.cost, password.to_owned());
        if let Some(stored) = stored.map(str::to_owned) {
            return self.run(move || verify(cost, &password, &stored)).await;
        }
        let mut random = [0; SALT_BYTES + OUTPUT_BYTES];
        self.entropy.fill(&mut random);
        let stored = dummy(cost, &random)?;
        self.run(move || verify(cost, &password, &stored)).await?;
        Ok(PasswordVerdict::Wrong)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _waiting = self
            .waiting
            .try_acquire()
            .map_err(|_| PasswordError::Busy)?;
        let running = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(PasswordError::failed)?;
        // The permit moves along: a caller that goes away leaves the work running, and it counts.
        let result = tokio::task::spawn_blocking(move || {
            let _running = running;
            work()
        });
        result.await.map_err(PasswordError::failed)
    }
}

fn argon2(cost: PasswordCost) -> Result<Argon2<'static>, PasswordError> {
    Ok(Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        cost.params()?,
    ))
}

fn hash(
    cost: PasswordCost,
    password: &str,
    salt: [u8; SALT_BYTES],
) -> Result<String, PasswordError> {
    let hash: PasswordHash = argon2(cost)?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(PasswordError::failed)?;
    Ok(hash.to_string())
}

/// A hash of the usual cost that no password has.
fn dummy(
    cost: PasswordCost,
    random: &[u8; SALT_BYTES + OUTPUT_BYTES],
) -> Result<String, PasswordError> {
    let (salt, output) = random.split_at(SALT_BYTES);
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&cost.params()?).map_err(PasswordError::failed)?,
        salt: Some(Salt::new(salt).map_err(PasswordError::failed)?),
        hash: Some(Output::new(output).map_err(PasswordError::failed)?),
    };
    Ok(hash.to_string())
}

/// Whether a stored argon2 hash asks for no more than new ones or the bounds of imported ones.
fn is_tolerable(cost: PasswordCost, hash: &PasswordHash) -> bool {
    Params::try_from(hash).is_ok_and(|params| {
        params.m_cost() <= MAX_ARGON2_MEMORY.max(cost.memory_kib)
            && params.t_cost() <= MAX_ARGON2_PASSES.max(cost.passes)
    })
}

/// A stored text that is no hash that we know matches nothing.
fn verify(cost: PasswordCost, password: &str, stored: &str) -> PasswordVerdict {
    if password.len() > MAX_PASSWORD {
        return PasswordVerdict::Wrong;
    }
    if ["$2y$", "$2a$", "$2b$"]
        .iter()
        .any(|prefix| stored.starts_with(prefix))
    {
        let tolerable = stored
            .parse::<bcrypt::HashParts>()
            .is_ok_and(|parts| parts.get_cost() <= MAX_BCRYPT_COST);
        return if tolerable && bcrypt::verify(password, stored).unwrap_or(false) {
            PasswordVerdict::RightButOutdated
        } else {
            PasswordVerdict::Wrong
        };
    }
    let Ok(parsed) = PasswordHash::new(stored) else {
        return PasswordVerdict::Wrong;
    };
    if !is_tolerable(cost, &parsed) {
        return PasswordVerdict::Wrong;
    }
    if Argon2::default()
        .verify_password(password.as_bytes(), &parsed)
        .is_err()
    {
        return PasswordVerdict::Wrong;
    }
    let current = cost
        .params()
        .and_then(|params| ParamsString::try_from(&params).map_err(PasswordError::failed));
    if parsed.algorithm == Algorithm::Argon2id.ident()
        && current.is_ok_and(|params| params == parsed.params)
    {
        PasswordVerdict::Right
    } else {
        PasswordVerdict::RightButOutdated
    }
}

#[cfg(test)]
mod tests {
    use hatchery_ambient::SeededEntropy;

    use super::*;

    fn passwords(cost: PasswordCost) -> Passwords {
        Passwords::new(cost, NonZeroUsize::MIN, Arc::new(SeededEntropy::new(1)))
    }

    #[tokio::test]
    async fn a_new_hash_is_argon2id_and_knows_its_password() {
        let passwords = passwords(PasswordCost::CHEAPEST);
        let stored = passwords.hash("correct horse").await.unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
            "{stored}"
        );
        assert_ne!(stored, passwords.hash("correct horse").await.unwrap());
        for (password, verdict) in [
            ("correct horse", PasswordVerdict::Right),
            ("correct horse ", PasswordVerdict::Wrong),
            ("", PasswordVerdict::Wrong),
        ] {
            assert_eq!(
                passwords.verify(password, Some(&stored)).await.unwrap(),
                verdict,
                "{password}"
            );
        }
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_right_but_outdated() {
        let dearer = PasswordCost {
            passes: 2,
            ..PasswordCost::CHEAPEST
        };
        let stored = passwords(dearer).hash("secret").await.unwrap();
        let verdict = passwords(PasswordCost::CHEAPEST)
            .verify("secret", Some(&stored))
            .await
            .unwrap();
        assert_eq!(verdict, PasswordVerdict::RightButOutdated);
    }

    #[tokio::test]
    async fn bcrypt_of_another_panel_is_verified_and_outdated() {
        let passwords = passwords(PasswordCost::CHEAPEST);
        let parts = bcrypt::hash_with_salt("swordfish", 4, [7; 16]).unwrap();
        for version in [
            bcrypt::Version::TwoY,
            bcrypt::Version::TwoA,
            bcrypt::Version::TwoB,
        ] {
            let stored = parts.format_for_version(version);
            let verdict = passwords.verify("swordfish", Some(&stored)).await.unwrap();
            assert_eq!(verdict, PasswordVerdict::RightButOutdated, "{stored}");
            assert_eq!(
                passwords.verify("Swordfish", Some(&stored)).await.unwrap(),
                PasswordVerdict::Wrong
            );
        }
        let unaffordable = parts
            .format_for_version(bcrypt::Version::TwoY)
            .replace("$04$", "$31$");
        assert_eq!(
            passwords
                .verify("swordfish", Some(&unaffordable))
                .await
                .unwrap(),
            PasswordVerdict::Wrong
        );
    }

    #[tokio::test]
    async fn nothing_matches_what_is_no_hash() {
        let passwords = passwords(PasswordCost::CHEAPEST);
        for stored in [
            None,
            Some(""),
            Some("!"),
            Some("secret"),
            Some("$2y$10$short"),
            Some("$argon2id$"),
            Some("$é$"),
            // More memory, or more passes, than anybody may ask this machine for.
            Some("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$zLsmdC2x3Ka8ZzJ1lSN5zw"),
            Some(
                "$argon2id$v=19$m=8,t=4294967295,p=1$c2FsdHNhbHRzYWx0c2FsdA$zLsmdC2x3Ka8ZzJ1lSN5zw",
            ),
        ] {
            assert_eq!(
                passwords.verify("secret", stored).await.unwrap(),
                PasswordVerdict::Wrong,
                "{stored:?}"
            );
            assert_eq!(
                passwords.verify("", stored).await.unwrap(),
                PasswordVerdict::Wrong,
                "{stored:?}"
            );
        }
    }

    #[test]
    fn an_unknown_user_costs_as_much_as_a_known_one() {
        let stored = dummy(PasswordCost::STANDARD, &[7; SALT_BYTES + OUTPUT_BYTES]).unwrap();
        let parsed = PasswordHash::new(&stored).unwrap();
        let real = PasswordHash::new(&hash(PasswordCost::STANDARD, "x", [1; SALT_BYTES]).unwrap())
            .unwrap();
        assert_eq!(
            (parsed.algorithm, parsed.params),
            (real.algorithm, real.params)
        );
        assert_eq!(parsed.hash.unwrap().len(), real.hash.unwrap().len());
    }

    #[tokio::test]
    async fn a_password_has_a_longest_length() {
        let passwords = passwords(PasswordCost::CHEAPEST);
        let longest = "x".repeat(MAX_PASSWORD);
        let stored = passwords.hash(&longest).await.unwrap();
        assert!(
            passwords
                .verify(&longest, Some(&stored))
                .await
                .unwrap()
                .is_right()
        );
        let longer = "x".repeat(MAX_PASSWORD + 1);
        assert!(matches!(
            passwords.hash(&longer).await,
            Err(PasswordError::TooLong)
        ));
        assert!(
            !passwords
                .verify(&longer, Some(&stored))
                .await
                .unwrap()
                .is_right()
        );
    }

    #[tokio::test]
    async fn callers_beyond_the_queue_are_turned_away() {
        let passwords = passwords(PasswordCost::CHEAPEST);
        let all = passwords.waiting.available_permits();
        let queue = passwords
            .waiting
            .try_acquire_many(u32::try_from(all).unwrap())
            .unwrap();
        assert!(matches!(
            passwords.hash("x").await,
            Err(PasswordError::Busy)
        ));
        drop(queue);
        assert!(passwords.hash("x").await.is_ok());
    }
}
