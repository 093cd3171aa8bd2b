//! One-time codes of an authenticator: SHA-1, six digits, a step of 30 seconds
//! (client-api.md §3.2.3), each accepted once (GHSA-rgmp-4873-r683).

use std::fmt;
use std::str::FromStr;

use hatchery_ambient::Entropy;
use hatchery_vocab::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// What stays readable in a URL: letters, digits and `-_.~`.
const URL_SAFE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Which 30 seconds since 1970 a code belongs to. Store the last accepted one per user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotpStep(u64);

impl TotpStep {
    /// How long a step lasts, in seconds.
    pub const SECONDS: u64 = 30;

    /// A step that was stored; negative numbers count as the first step.
    pub fn from_stored(step: i64) -> Self {
        Self(u64::try_from(step).unwrap_or(0))
    }

    /// The number to store.
    pub fn to_stored(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The step of this moment.
    pub fn at(time: Timestamp) -> Self {
        Self(u64::try_from(time.seconds()).unwrap_or(0) / Self::SECONDS)
    }
}

/// What an authenticator and the panel share.
#[derive(Clone)]
pub struct TotpSecret(Totp);

/// The text is not a secret in base 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a two-factor secret is written in base 32: letters A to Z and digits 2 to 7, at least 16 of them"
)]
pub struct ParseTotpSecret;

impl TotpSecret {
    const DIGITS: u8 = 6;
    /// 160 bits, which are 32 characters.
    const BYTES: usize = 20;
    /// The shortest imported secret that is accepted: 80 bits, 16 characters.
    const MIN_BYTES: usize = 10;

    fn new(secret: Secret) -> Self {
        Self(
            Builder::new()
                .with_algorithm(Algorithm::SHA1)
                .with_digits(Self::DIGITS)
                .with_skew(0)
                .with_step_duration(TotpStep::SECONDS)
                .with_secret(secret)
                .build_noncompliant(),
        )
    }

    /// A new random secret.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; Self::BYTES];
        entropy.fill(&mut bytes);
        Self::new(bytes.into())
    }

    /// The secret as people type it into an authenticator: base 32 without padding.
    pub fn expose(&self) -> String {
        self.0.secret().to_base32()
    }

    /// The code of a step, for those who play the authenticator.
    pub fn code(&self, step: TotpStep) -> String {
        self.0
            .generate(step.0.saturating_mul(TotpStep::SECONDS))
            .to_string()
    }

    /// Accepts a code of any step at most `window` steps away from now that is later than the last
    /// accepted one, and says which step to remember. Nothing means that the code is wrong or used.
    pub fn accept(
        &self,
        code: &str,
        now: Timestamp,
        window: u16,
        last: Option<TotpStep>,
    ) -> Option<TotpStep> {
        let (now, window) = (TotpStep::at(now).0, u64::from(window));
        let first_unused = last.map_or(0, |last| last.0.saturating_add(1));
        (now.saturating_sub(window).max(first_unused)..=now.saturating_add(window))
            .find(|step| {
                self.0
                    .check(code, step.saturating_mul(TotpStep::SECONDS))
                    .is_some()
            })
            .map(TotpStep)
    }

    /// The link that an authenticator scans. The issuer loses its white space and is encoded twice,
    /// the account once, as the reference has it (client-api.md §3.2.2).
    pub fn enrolment_url(&self, issuer: &str, account: &str) -> String {
        let encode = |text: &str| utf8_percent_encode(text, URL_SAFE).to_string();
        let issuer = encode(&encode(&issuer.split_whitespace().collect::<String>()));
        let account = encode(account);
        format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}",
            self.expose()
        )
    }
}

impl FromStr for TotpSecret {
    type Err = ParseTotpSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let secret = Secret::try_from_base32(text).map_err(|_| ParseTotpSecret)?;
        if secret.as_ref().len() < Self::MIN_BYTES {
            Err(ParseTotpSecret)
        } else {
            Ok(Self::new(secret))
        }
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use hatchery_ambient::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    /// The window of the reference.
    const WINDOW: u16 = 4;

    /// RFC 6238's key, `12345678901234567890`.
    fn rfc_secret() -> TotpSecret {
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".parse().unwrap()
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_seconds(seconds);
            assert_eq!(rfc_secret().code(TotpStep::at(now)), code);
            assert_eq!(
                rfc_secret().accept(code, now, 0, None),
                Some(TotpStep::at(now))
            );
        }
    }

    #[test]
    fn a_code_is_accepted_once_and_never_after_a_later_one() {
        let secret = rfc_secret();
        let now = Timestamp::from_seconds(1_700_000_000);
        let step = TotpStep::at(now);
        let code = secret.code(step);
        let earlier = secret.code(TotpStep(step.0 - 1));
        assert_eq!(secret.accept(&code, now, WINDOW, None), Some(step));
        assert_eq!(secret.accept(&code, now, WINDOW, Some(step)), None);
        assert_eq!(secret.accept(&earlier, now, WINDOW, Some(step)), None);
        let later = secret.code(TotpStep(step.0 + 1));
        assert_eq!(
            secret.accept(&later, now, WINDOW, Some(step)),
            Some(TotpStep(step.0 + 1))
        );
    }

    #[test]
    fn the_window_has_two_ends() {
        let secret = rfc_secret();
        let now = Timestamp::from_seconds(1_700_000_000);
        let step = TotpStep::at(now).0;
        for (away, accepted) in [(-5, false), (-4, true), (0, true), (4, true), (5, false)] {
            let code = secret.code(TotpStep(step.saturating_add_signed(away)));
            assert_eq!(
                secret.accept(&code, now, WINDOW, None).is_some(),
                accepted,
                "{away}"
            );
        }
    }

    #[test]
    fn only_six_digits_are_a_code() {
        for code in [
            "",
            "28708",
            "2870822",
            "abcdef",
            "287 82",
            "+28708",
            "٢٨٧٠٨٢",
        ] {
            assert_eq!(
                rfc_secret().accept(code, Timestamp::from_seconds(59), WINDOW, None),
                None,
                "{code}"
            );
        }
    }

    #[test]
    fn a_secret_is_written_in_32_characters_and_stays_out_of_logs() {
        let secret = TotpSecret::generate(&SeededEntropy::new(1));
        let text = secret.expose();
        assert_eq!(text.len(), 32);
        assert!(
            text.bytes()
                .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
        );
        assert_eq!(text.parse::<TotpSecret>().unwrap().expose(), text);
        assert_eq!(format!("{secret:?}"), "TotpSecret(…)");
        for bad in ["", "ABC", "1111111111111111", "ABCDEFGH"] {
            assert!(bad.parse::<TotpSecret>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_enrolment_link_encodes_as_the_reference_does() {
        assert_eq!(
            rfc_secret().enrolment_url("My Panél & Co", "owner@example.com"),
            "otpauth://totp/MyPan%25C3%25A9l%2526Co:owner%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=MyPan%25C3%25A9l%2526Co"
        );
    }

    proptest! {
        #[test]
        fn no_code_is_accepted_twice(seed: u64, seconds in 0_i64..4_000_000_000, away in -4_i64..=4) {
            let secret = TotpSecret::generate(&SeededEntropy::new(seed));
            let now = Timestamp::from_seconds(seconds);
            let code = secret.code(TotpStep(TotpStep::at(now).0.saturating_add_signed(away)));
            let step = secret.accept(&code, now, WINDOW, None);
            prop_assert!(step.is_some());
            // The same digits may belong to a later step by chance, but never to the same one.
            prop_assert!(secret.accept(&code, now, WINDOW, step) > step || secret.accept(&code, now, WINDOW, step).is_none());
        }
    }
}
