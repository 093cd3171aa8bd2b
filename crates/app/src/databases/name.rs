//! What a new database, its account and its password are called (client-api.md §9.1 and §9.3).

use hatchery_ambient::Entropy;
use hatchery_store::Secret;
use hatchery_vocab::ServerId;

/// The longest name of a database, in bytes.
const MAX_NAME: usize = 48;
/// Random characters of an account's name.
const USERNAME_RANDOM: usize = 10;
/// Characters of a password.
const PASSWORD_LENGTH: usize = 24;
/// What makes a password hold more than letters and digits.
const SPECIAL: [char; 6] = ['!', '@', '=', '.', '+', '^'];
/// How many characters are replaced by such ones, at least and at most; positions may repeat.
const REPLACED: std::ops::RangeInclusive<usize> = 2..=6;

/// `s<server>_<name>`, cut between characters.
pub(super) fn database(server: ServerId, name: &str) -> String {
    let mut full = format!("s{server}_{name}");
    let mut end = full.len().min(MAX_NAME);
    while !full.is_char_boundary(end) {
        end -= 1;
    }
    full.truncate(end);
    full
}

/// `u<server>_` and random characters.
pub(super) fn username(server: ServerId, entropy: &dyn Entropy) -> String {
    format!("u{server}_{}", entropy.alphanumeric(USERNAME_RANDOM))
}

/// A new password.
pub(super) fn password(entropy: &dyn Entropy) -> Secret {
    let mut password: Vec<char> = entropy.alphanumeric(PASSWORD_LENGTH).chars().collect();
    let span = REPLACED.end() - REPLACED.start() + 1;
    for _ in 0..REPLACED.start() + below(entropy, span) {
        let position = below(entropy, password.len());
        password[position] = SPECIAL[below(entropy, SPECIAL.len())];
    }
    Secret::new(password.into_iter().collect::<String>())
}

/// A random number below a bound that is far below 2⁶⁴, so that the remainder is as good as even.
pub(super) fn below(entropy: &dyn Entropy, bound: usize) -> usize {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    (u64::from_le_bytes(bytes) % bound.max(1) as u64) as usize
}

#[cfg(test)]
mod tests {
    use hatchery_ambient::SeededEntropy;

    use super::*;

    #[test]
    fn names_are_cut_to_48_bytes_between_characters() {
        let server = ServerId::new(1);
        assert_eq!(database(server, "Economy"), "s1_Economy");
        assert_eq!(
            database(server, &"b".repeat(48)),
            format!("s1_{}", "b".repeat(45))
        );
        let cut = database(server, &"é".repeat(30));
        assert_eq!(cut, format!("s1_{}", "é".repeat(22)));
        assert!(username(server, &SeededEntropy::new(1)).starts_with("u1_"));
        assert_eq!(username(server, &SeededEntropy::new(1)).len(), 13);
    }

    #[test]
    fn passwords_hold_one_to_six_special_characters() {
        let entropy = SeededEntropy::new(1);
        let mut special = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let password = password(&entropy);
            let password = password.expose();
            assert_eq!(password.len(), 24);
            let count = password.chars().filter(|c| SPECIAL.contains(c)).count();
            assert!((1..=6).contains(&count), "{password}");
            let rest = password.chars().filter(|c| !SPECIAL.contains(c));
            assert!(
                rest.clone().all(|c| c.is_ascii_alphanumeric()),
                "{password}"
            );
            special.extend(password.chars().filter(|c| SPECIAL.contains(c)));
        }
        assert_eq!(special, SPECIAL.into_iter().collect());
    }
}
