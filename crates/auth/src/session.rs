//! Browser sessions: a random token in a cookie, its digest in the database, and a second token
//! that proves that a request comes from our own page (client-api.md §1.5).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::secret::secret_texts;

secret_texts! {
    /// What the session cookie holds. Whoever has it is signed in.
    SessionToken(40)
    /// A link that works once, such as the one that sets up a fresh panel.
    OneTimeToken(40)
    /// What a browser sends with the second factor to say which sign-in it completes.
    ConfirmationToken(64)
}

impl SessionToken {
    /// A token that came in a cookie; nothing when it cannot be one of ours.
    pub fn from_cookie(value: &str) -> Option<Self> {
        let plausible =
            value.len() == Self::LEN && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plausible.then(|| Self(value.to_owned()))
    }

    /// The token that unsafe requests of this session must carry. It follows from the session's
    /// own token, so that nothing needs to be stored and no other session's token fits.
    pub fn csrf(&self) -> CsrfToken {
        let digest = Sha256::new()
            .chain_update(b"hatchery csrf\0")
            .chain_update(&self.0)
            .finalize();
        CsrfToken(URL_SAFE_NO_PAD.encode(digest))
    }
}

/// Proof that a request with a session cookie comes from our own page.
#[derive(Clone)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// The text for the readable cookie and for forms.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the request's token is this one, in constant time.
    pub fn matches(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use hatchery_ambient::SeededEntropy;

    use super::*;

    #[test]
    fn a_session_is_recognised_by_its_digest() {
        let token = SessionToken::generate(&SeededEntropy::new(3));
        let returned = SessionToken::from_cookie(token.expose()).unwrap();
        assert_eq!(returned.digest(), token.digest());
        for value in ["", "abc", &"x".repeat(41), &format!("{};", "x".repeat(39))] {
            assert!(SessionToken::from_cookie(value).is_none(), "{value}");
        }
    }

    #[test]
    fn a_csrf_token_belongs_to_one_session() {
        let entropy = SeededEntropy::new(4);
        let (mine, yours) = (
            SessionToken::generate(&entropy),
            SessionToken::generate(&entropy),
        );
        assert!(mine.csrf().matches(mine.csrf().expose()));
        assert!(!mine.csrf().matches(yours.csrf().expose()));
        assert!(!mine.csrf().matches(""));
        assert!(!mine.csrf().matches(mine.expose()));
    }

    #[test]
    fn tokens_do_not_print_themselves() {
        let token = SessionToken::generate(&SeededEntropy::new(5));
        let printed = format!(
            "{token:?} {:?} {:?}",
            token.csrf(),
            OneTimeToken::generate(&SeededEntropy::new(6))
        );
        assert_eq!(printed, "SessionToken(…) CsrfToken(…) OneTimeToken(…)");
    }
}
