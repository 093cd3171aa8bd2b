//! Hashids: short texts that stand for row ids in addresses (client-api.md §9.4).
//!
//! They hide nothing from somebody who tries; they are kept because clients store them. Knows no
//! table and no salt but the one that it is given.

/// The characters of an id.
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890";
/// Characters that would stand between two numbers; they keep curses out of single ones.
const SEPARATORS: &[u8] = b"cfhistuCFHISTU";
/// There is one separator for so many other characters (in halves) at least …
const PER_SEPARATOR_HALVES: usize = 7;
/// … and one guard for so many.
const PER_GUARD: usize = 12;
/// The shortest id that a panel of the reference is set up with.
pub const HASHID_LENGTH: usize = 8;
/// More than any id is long.
const MAX_LENGTH: usize = 255;

/// Writes and reads ids under one salt.
#[derive(Clone, Debug)]
pub struct Hashids {
    salt: Vec<u32>,
    alphabet: Vec<u8>,
    separators: Vec<u8>,
    guards: Vec<u8>,
    least: usize,
}

impl Hashids {
    /// Ids of at least `least` characters under this salt, which may be empty.
    pub fn new(salt: &str, least: usize) -> Self {
        let salt: Vec<u32> = salt.chars().map(u32::from).collect();
        let is_separator = |byte: &u8| SEPARATORS.contains(byte);
        let mut separators = SEPARATORS.to_vec();
        let mut alphabet: Vec<u8> = ALPHABET
            .iter()
            .copied()
            .filter(|byte| !is_separator(byte))
            .collect();
        shuffle(&mut separators, &salt);
        let wanted = (alphabet.len() * 2).div_ceil(PER_SEPARATOR_HALVES);
        if let Some(missing) = wanted.checked_sub(separators.len()) {
            separators.extend(alphabet.drain(..missing));
        }
        shuffle(&mut alphabet, &salt);
        let guards = alphabet
            .drain(..alphabet.len().div_ceil(PER_GUARD))
            .collect();
        Self {
            salt,
            alphabet,
            separators,
            guards,
            least: least.min(MAX_LENGTH),
        }
    }

    /// The text of a number.
    pub fn encode(&self, number: u64) -> String {
        // The reference sums `number % (index + 100)` over all numbers; there is one.
        let sum = (number % 100) as usize;
        let mut alphabet = self.alphabet.clone();
        let lottery = alphabet[sum % alphabet.len()];
        self.reorder(&mut alphabet, lottery);
        let mut text = vec![lottery];
        text.extend(digits(number, &alphabet));

        let guard = |at: u8| self.guards[(sum + usize::from(at)) % self.guards.len()];
        if text.len() < self.least {
            text.insert(0, guard(text[0]));
            if text.len() < self.least {
                text.push(guard(text[2]));
            }
        }
        let half = alphabet.len() / 2;
        while text.len() < self.least {
            let salt: Vec<u32> = alphabet.iter().copied().map(u32::from).collect();
            shuffle(&mut alphabet, &salt);
            text = [&alphabet[half..], &text, &alphabet[..half]].concat();
            if let Some(excess) = text.len().checked_sub(self.least) {
                text = text[excess / 2..][..self.least].to_vec();
            }
        }
        text.into_iter().map(char::from).collect()
    }

    /// The number of a text, if [`Self::encode`] wrote it.
    pub fn decode(&self, text: &str) -> Option<u64> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let parts: Vec<&[u8]> = text
            .as_bytes()
            .split(|byte| self.guards.contains(byte))
            .collect();
        let part = parts[usize::from(matches!(parts.len(), 2 | 3))];
        let (&lottery, rest) = part.split_first()?;
        if rest.iter().any(|byte| self.separators.contains(byte)) {
            return None;
        }
        let mut alphabet = self.alphabet.clone();
        self.reorder(&mut alphabet, lottery);
        let number = rest.iter().try_fold(0_u64, |number, byte| {
            let digit = alphabet.iter().position(|other| other == byte)?;
            number
                .checked_mul(alphabet.len() as u64)?
                .checked_add(digit as u64)
        })?;
        (self.encode(number) == text).then_some(number)
    }

    /// The order of the alphabet for ids that begin with this character.
    fn reorder(&self, alphabet: &mut [u8], lottery: u8) {
        let salt: Vec<u32> = std::iter::once(u32::from(lottery))
            .chain(self.salt.iter().copied())
            .chain(alphabet.iter().copied().map(u32::from))
            .take(alphabet.len())
            .collect();
        shuffle(alphabet, &salt);
    }
}

/// A number in the positional system whose digits are the alphabet.
fn digits(mut number: u64, alphabet: &[u8]) -> Vec<u8> {
    let base = alphabet.len() as u64;
    let mut digits = Vec::new();
    loop {
        digits.push(alphabet[(number % base) as usize]);
        number /= base;
        if number == 0 {
            digits.reverse();
            return digits;
        }
    }
}

/// The same order for the same salt; an empty one changes nothing.
fn shuffle(characters: &mut [u8], salt: &[u32]) {
    if salt.is_empty() {
        return;
    }
    let (mut turn, mut sum) = (0, 0);
    for last in (1..characters.len()).rev() {
        turn %= salt.len();
        let number = salt[turn] as usize;
        sum += number;
        characters.swap(last, (number + turn + sum) % last);
        turn += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [u64; 7] = [1, 2, 3, 10, 100, 12345, 1_000_000];

    #[test]
    fn the_vectors_of_the_specification() {
        let table = [
            (
                "abcdefghij0123456789",
                [
                    "YnlEjJxm", "brld4lOd", "rxLjY3N4", "q6Je5J9O", "1kLqVGl2", "nlEmWblx",
                    "kLqrb7Gl",
                ],
            ),
            (
                "",
                [
                    "olejRejN", "pmbk5ezJ", "pnel5aKB", "l9avmeG1", "jneg56bw", "lej0gWbj",
                    "negQ3E6b",
                ],
            ),
        ];
        for (salt, texts) in table {
            let ids = Hashids::new(salt, HASHID_LENGTH);
            for (number, text) in NUMBERS.into_iter().zip(texts) {
                assert_eq!(ids.encode(number), text, "{salt} {number}");
                assert_eq!(ids.decode(text), Some(number), "{salt} {text}");
            }
        }
        let recorded = Hashids::new("peerSaltForGoldens01", HASHID_LENGTH);
        let texts = [1, 2, 3, 100, 102].map(|number| recorded.encode(number));
        assert_eq!(
            texts,
            ["1EpZyz5k", "3JGbypr7", "P1eNEGDY", "AnpOq1ek", "3JGbyMpr"]
        );
    }

    #[test]
    fn what_was_not_written_here_is_not_read() {
        let ids = Hashids::new("abcdefghij0123456789", HASHID_LENGTH);
        for text in [
            "",
            "Y",
            "zzzzzzzz",
            "YnlEjJxn",
            "YnlEjJx",
            "é",
            "ccc",
            "....",
            &"Y".repeat(9000),
        ] {
            assert_eq!(ids.decode(text), None, "{text}");
        }
        assert_eq!(
            Hashids::new("other", HASHID_LENGTH).decode("YnlEjJxm"),
            None
        );
    }

    #[test]
    fn every_number_comes_back_whatever_the_length() {
        for least in [0, 1, 8, 30, 1000] {
            let ids = Hashids::new("🥚 salt", least);
            let large = [u64::from(u32::MAX), u64::MAX];
            for number in (0..500).chain(large) {
                let text = ids.encode(number);
                assert!(text.len() >= least.min(MAX_LENGTH));
                assert_eq!(ids.decode(&text), Some(number), "{text}");
            }
        }
    }
}
