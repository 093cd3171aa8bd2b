//! The first administrator: a link that works once, and only while there is nobody else.

use std::time::Duration;

use hatchery_auth::{OneTimeToken, SecretDigest};
use hatchery_store::{StoreError, Tx, User};
use hatchery_vocab::Timestamp;

use crate::Cx;
use crate::users::{self, NewPerson, UserError};

/// The setting that holds the digest of the link's token in hexadecimal digits, and after a colon
/// the microseconds since 1970 at which it ends.
const SETTING: &str = "panel:setup_token";

/// How long a link works: it may have been printed to a log that others read.
const LIFETIME: Duration = Duration::from_hours(24);

/// Why the link did not make an administrator.
#[derive(Debug, thiserror::Error)]
pub enum FirstAdminError {
    /// The token is wrong, or was used, or there is somebody already.
    #[error("this set-up link is no longer valid")]
    LinkInvalid,
    /// The person could not be created.
    #[error(transparent)]
    Person(#[from] UserError),
}

impl From<StoreError> for FirstAdminError {
    fn from(error: StoreError) -> Self {
        Self::Person(error.into())
    }
}

/// A fresh link's token while there is nobody; links of earlier starts end with it.
pub async fn invite(cx: &Cx) -> Result<Option<OneTimeToken>, StoreError> {
    if cx.store().count_users().await? > 0 {
        return Ok(None);
    }
    let token = OneTimeToken::generate(cx.entropy());
    let mut tx = cx.store().begin().await?;
    let stored = noted(&token.digest(), cx.now().plus(LIFETIME));
    tx.set_setting(SETTING, &stored).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Whether the token would make an administrator.
pub async fn is_invited(cx: &Cx, token: &str) -> Result<bool, StoreError> {
    let stored = cx.store().setting(SETTING).await?;
    Ok(fits(stored.as_deref(), token, cx.now()) && cx.store().count_users().await? == 0)
}

/// Makes the administrator and ends the link, both or neither.
pub async fn accept(cx: &Cx, token: &str, person: &NewPerson) -> Result<User, FirstAdminError> {
    if !is_invited(cx, token).await? {
        return Err(FirstAdminError::LinkInvalid);
    }
    let user = users::prepare(cx, person).await?;
    let mut tx = cx.store().begin().await?;
    // Two browsers may hold the same link: whoever takes the setting away is the one.
    let stored = tx.take_setting(SETTING).await?;
    if !fits(stored.as_deref(), token, cx.now()) {
        return Err(FirstAdminError::LinkInvalid);
    }
    tx.create_user(&user).await?;
    tx.commit().await?;
    Ok(users::find(cx, &person.username).await?)
}

/// Ends the link in a transaction that creates somebody by another way.
pub(crate) async fn close(tx: &mut Tx) -> Result<(), StoreError> {
    tx.take_setting(SETTING).await?;
    Ok(())
}

fn noted(digest: &SecretDigest, until: Timestamp) -> String {
    format!("{}:{}", hexadecimal(digest), until.micros())
}

fn fits(stored: Option<&str>, token: &str, now: Timestamp) -> bool {
    let Some((digest, until)) = stored.and_then(|stored| stored.split_once(':')) else {
        return false;
    };
    let lasts = until.parse::<i64>().is_ok_and(|until| until > now.micros());
    lasts && from_hexadecimal(digest).is_some_and(|digest| digest.matches(token))
}

fn hexadecimal(digest: &SecretDigest) -> String {
    use std::fmt::Write;
    digest
        .as_bytes()
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn from_hexadecimal(text: &str) -> Option<SecretDigest> {
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    SecretDigest::from_stored(&bytes?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_fits_and_only_for_a_time() {
        let now = Timestamp::from_seconds(1_000);
        let stored = noted(&SecretDigest::of("token"), now.plus(LIFETIME));
        assert!(fits(Some(&stored), "token", now));
        assert!(!fits(Some(&stored), "token", now.plus(LIFETIME)));
        assert!(!fits(Some(&stored), "other", now));
        assert!(!fits(None, "token", now));
        let (digest, _) = stored.split_once(':').unwrap();
        for broken in ["", ":", "zz:9", "abc", "é:9", digest, &stored[2..]] {
            assert!(!fits(Some(broken), "token", now), "{broken}");
        }
    }
}
