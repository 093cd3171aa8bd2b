//! How people and programs prove who they are: passwords, API keys, one-time codes, sessions and
//! the addresses that a key may be used from.
//!
//! Everything here is about values. Where they are stored, which user they belong to and what that
//! user may do is the business of other crates.

mod address;
mod api_key;
mod password;
mod secret;
mod session;
mod ssh_key;
mod totp;

pub use address::{AddressList, AddressRule, ParseAddressRule};
pub use api_key::{
    ApiKeySecret, KeyIdentifier, KeyKind, NewApiKey, ParseKeyIdentifier, PresentedKey,
};
pub use password::{PasswordCost, PasswordError, PasswordVerdict, Passwords};
pub use secret::SecretDigest;
pub use session::{ConfirmationToken, CsrfToken, OneTimeToken, SessionToken};
pub use ssh_key::{ParseSshKey, SshPublicKey};
pub use totp::{ParseTotpSecret, TotpSecret, TotpStep};
